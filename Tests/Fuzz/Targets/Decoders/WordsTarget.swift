import RoamkeyCrypto

extension FuzzTargets {
  /// A key's backup as words: of anybody, of the list, and of keys as people write them down.
  static let words = FuzzTarget(
    "words", longestInput: 300, milestones: ["read", "wrongCount", "unknownWord", "checksum", "dressed", "altered"]
  ) { input, reached in
    let mode = input.byte()
    switch mode & 3 {
    case 0:
      var seed = input.take(32)
      seed += [UInt8](repeating: 0, count: 32 - seed.count)
      dressed(PlayerKey(seed: SecretBytes(wiping: &seed)), &input, &reached)
    case 1:
      // Of the list, as many as there are; once in 256 times the checksum is right.
      var text = ""
      for _ in 0..<BackupWords.count + Int(mode >> 2 & 1) where !input.isEmpty || mode & 8 == 0 {
        text += word(input.int16() & 2047) + " "
      }
      read(text, &reached)
    default: read(String(decoding: input.rest(), as: UTF8.self), &reached)
    }
  }

  /// The words of a key give that key in any dress, and with another word that key no more.
  private static func dressed(_ key: borrowing PlayerKey, _ input: inout FuzzInput, _ reached: inout Milestones) {
    let words = key.words().text.split(separator: " ").map(String.init)
    precondition(words.count == BackupWords.count, "a key has 24 words")
    var text = ""
    for (place, word) in words.enumerated() {
      let dress = input.byte()
      if dress & 1 == 1 { text += "\(place + 1)\(dress & 2 == 2 ? "." : ")") " }
      let letters = dress & 4 == 4 ? String(word.prefix(4 + Int(dress >> 6))) : word
      text += dress & 8 == 8 ? letters.uppercased() : letters
      text += [" ", "\n", "\t", " \r\n"][Int(dress >> 4 & 3)]
    }
    guard let again = try? BackupWords(text) else { preconditionFailure("words in a dress are not read") }
    precondition(PlayerKey(words: again).id == key.id, "words in a dress are another key")
    reached.reach(4)
    let (place, other) = (input.number(below: BackupWords.count), word(input.int16() & 2047))
    guard other != words[place] else { return }
    var altered = words
    altered[place] = other
    do throws(BackupWordsError) {
      let another = try BackupWords(altered.joined(separator: " "))
      precondition(PlayerKey(words: another).id != key.id, "other words are the same key")
    } catch {
      precondition(error == .checksum, "a word of the list is refused: \(error)")
      reached.reach(5)
    }
  }

  private static func read(_ text: String, _ reached: inout Milestones) {
    do throws(BackupWordsError) {
      let key = PlayerKey(words: try BackupWords(text))
      reached.reach(0)
      guard let again = try? BackupWords(key.words().text) else { preconditionFailure("what was written is not read") }
      precondition(PlayerKey(words: again).id == key.id, "what was written is another key")
    } catch {
      precondition(!error.description.isEmpty, "an error without words")
      switch error {
      case .wrongCount: reached.reach(1)
      case .unknownWord(let number):
        precondition(number >= 1 && number <= BackupWords.count, "there is no word \(number)")
        reached.reach(2)
      case .checksum: reached.reach(3)
      case .file: preconditionFailure("a text is no file")
      }
    }
  }

  /// By its number: the first word of the key whose seed begins with those eleven bits.
  private static func word(_ number: Int) -> String {
    var seed = [UInt8(number >> 3), UInt8(number & 7) << 5] + [UInt8](repeating: 0, count: 30)
    let words = PlayerKey(seed: SecretBytes(wiping: &seed)).words().text
    return String(words.prefix { $0 != " " })
  }
}
