import RoamkeySodium

/// A key's seed as 24 words on paper: the English words of BIP 39, for 256 bits and a checksum of 8.
///
/// What the words say is the Ed25519 seed itself, and not, as in wallets, a text from which PBKDF2 makes one: so that
/// any key can be written down, one that was made before as well, and back comes the same key. Whoever reads them has
/// the key, whatever passphrase its file has.
///
/// They are kept in guarded memory as their seed. What a terminal, a pipe or a Swift string has of them is not.
public struct BackupWords: ~Copyable, Sendable {
  /// How many there are.
  public static let count = 24

  /// 32 bytes.
  let seed: SecretBytes

  init(seed: consuming SecretBytes) { self.seed = seed }

  /// The words that `text` says: see ``init(contentsOfFile:)``.
  ///
  /// The text itself is a Swift string, which cannot be wiped: prefer a file where there is a choice.
  public init(_ text: String) throws(BackupWordsError) {
    var bytes = Array(text.utf8)
    let memory = SecretBytes(wiping: &bytes)
    let seed = try memory.withUnsafeBytes { text throws(BackupWordsError) in try Self.seed(of: text) }
    self.init(seed: seed)
  }

  /// The words in the file at `path`, which nobody but its owner may read: in any case of letters, each whole or its
  /// first four letters, with white space between. Numbers, as `1` or `1.`, do not count.
  /// - Throws: which word is unknown, that one is wrong, or why the file cannot be read; never a word.
  public init(contentsOfFile path: String) throws(BackupWordsError) {
    let file: KeyFileContents
    do throws(KeyFileError) {
      file = try KeyFileContents(path: path)
    } catch {
      throw .file(error)
    }
    guard !file.isOpenToOthers else { throw .file(KeyFileError(.readableByOthers, path)) }
    try self.init(reading: file.withUnsafeBytes { SecretBytes(copying: $0) })
  }

  /// The words that guarded text says.
  package init(_ text: borrowing SecretText) throws(BackupWordsError) {
    let seed = try text.withUnsafeBytes { text throws(BackupWordsError) in try Self.seed(of: text) }
    self.init(seed: seed)
  }

  private init(reading memory: borrowing SecretBytes) throws(BackupWordsError) {
    let seed = try memory.withUnsafeBytes { text throws(BackupWordsError) in try Self.seed(of: text) }
    self.init(seed: seed)
  }

  /// The words in small letters, a space between two: a Swift string, which cannot be wiped.
  public var text: String {
    rendered(asTable: false).withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
  }

  // MARK: Writing

  /// The words in guarded memory: with a space between two, or with their numbers in lines of four.
  package borrowing func rendered(asTable isTable: Bool) -> SecretText {
    var text = SecretText(capacity: Self.count * (WordList.longest + 6))
    for place in 0..<Self.count {
      let word = WordList.words[number(at: place)]
      if isTable {
        let label = Array(((place < 9 ? " " : "") + "\(place + 1) ").utf8)
        label.withUnsafeBytes { _ = text.append($0) }
      }
      word.withUnsafeBytes { _ = text.append($0) }
      let isLast = place + 1 == Self.count
      if isTable && place % 4 < 3 {
        for _ in word.count..<WordList.longest + 2 { text.append(" ") }
      } else if !isLast {
        text.append(isTable ? "\n" : " ")
      }
    }
    return text
  }

  /// The eleven bits of a word: of the seed, and of the first byte of its SHA-256 behind it.
  private borrowing func number(at place: Int) -> Int {
    var number = 0
    for bit in place * 11..<(place + 1) * 11 {
      let byte = bit < 256 ? seed.pointer(at: bit / 8, size: 1).pointee : Self.checksum(seed)
      number = number << 1 | Int(byte >> UInt8(7 - bit % 8) & 1)
    }
    return number
  }

  private static func checksum(_ seed: borrowing SecretBytes) -> UInt8 {
    let hash = SecretBytes(zeros: 32)
    crypto_hash_sha256(hash.mutablePointer(at: 0, size: 32), seed.pointer(at: 0, size: 32), 32)
    return hash.pointer(at: 0, size: 1).pointee
  }

  // MARK: Reading

  /// How many words a text has so far, known or not.
  package static func count(in text: borrowing SecretText) -> Int {
    text.withUnsafeBytes { text in
      var count = 0
      eachWord(of: text) { _ in count += 1 }
      return count
    }
  }

  private static func seed(of text: UnsafeRawBufferPointer) throws(BackupWordsError) -> SecretBytes {
    let bits = SecretBytes(zeros: 33)
    var count = 0
    var unknown: Int?
    eachWord(of: text) { word in
      count += 1
      guard count <= Self.count, unknown == nil else { return }
      guard let number = WordList.number(of: word) else {
        unknown = count
        return
      }
      for bit in 0..<11 where number >> (10 - bit) & 1 == 1 {
        let place = (count - 1) * 11 + bit
        bits.mutablePointer(at: place / 8, size: 1).pointee |= 0x80 >> UInt8(place % 8)
      }
    }
    if let unknown { throw .unknownWord(unknown) }
    guard count == Self.count else { throw .wrongCount(count) }
    let seed = bits.withUnsafeBytes { SecretBytes(copying: UnsafeRawBufferPointer(rebasing: $0[..<32])) }
    guard checksum(seed) == bits.pointer(at: 32, size: 1).pointee else { throw .checksum }
    return seed
  }

  /// Each run of what is no white space, in small letters; of numbers and points alone it is none.
  private static func eachWord(of text: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Void) {
    let word = SecretBytes(zeros: WordList.longest + 1)
    var position = 0
    while position < text.count {
      let start = position
      while position < text.count, !isSpace(text[position]) { position += 1 }
      let run = UnsafeRawBufferPointer(rebasing: text[start..<position])
      position += 1
      guard run.contains(where: { !isOfNumbers($0) }) else { continue }
      // One letter more than any word has tells that it is none.
      let size = min(run.count, word.count)
      let target = word.mutablePointer(at: 0, size: size)
      for place in 0..<size { target[place] = (65...90).contains(run[place]) ? run[place] + 32 : run[place] }
      body(UnsafeRawBufferPointer(start: target, count: size))
    }
  }

  private static func isSpace(_ byte: UInt8) -> Bool { byte == 32 || (9...13).contains(byte) }

  /// Digits and what people put behind them.
  private static func isOfNumbers(_ byte: UInt8) -> Bool {
    (48...57).contains(byte) || [UInt8(ascii: "."), UInt8(ascii: ")"), UInt8(ascii: ":")].contains(byte)
  }
}

extension PlayerKey {
  /// The key as 24 words to write down: whoever reads them is the player.
  public borrowing func words() -> BackupWords { BackupWords(seed: withSeed { SecretBytes(copying: $0) }) }

  /// The key that was written down.
  public init(words: borrowing BackupWords) {
    self.init(seed: words.seed.withUnsafeBytes { SecretBytes(copying: $0) })
  }
}

/// Why words give no key, in a sentence that says what to do. It never contains a word.
public enum BackupWordsError: Error, Hashable, Sendable, CustomStringConvertible {
  /// There are as many, and not 24.
  case wrongCount(Int)
  /// The word of this number, from 1, is not on the list.
  case unknownWord(Int)
  /// All are on the list, but they do not belong together. One wrong word passes unnoticed once in 256 times.
  case checksum
  /// The file cannot be read.
  case file(KeyFileError)

  public var description: String {
    switch self {
    case .wrongCount(let count):
      "There are \(count) words, and \(BackupWords.count) are needed: compare them with the paper."
    case .unknownWord(let number): "Word \(number) is not on the list of words (BIP 39, English): compare its letters."
    case .checksum:
      "The words do not belong together: one is wrong, or two have changed places; compare them with the paper."
    case .file(let error): error.description
    }
  }
}
