internal import RoamkeyCBOR

/// Keys of dictionaries as small numbers. Each side has a table of its own; its numbers never travel.
struct KeyTable {
  /// A text that equals another only if its bytes do.
  struct ExactText: Hashable {
    let text: String

    static func == (one: ExactText, other: ExactText) -> Bool { one.text.utf8.elementsEqual(other.text.utf8) }
    // By the bytes as well: texts that Unicode takes for equal would all have the same hash, and strangers name keys.
    func hash(into hasher: inout Hasher) {
      var word: UInt64 = 0
      var count = 0
      for byte in text.utf8 {
        word = word << 8 | UInt64(byte)
        count += 1
        if count & 7 == 0 { hasher.combine(word) }
      }
      hasher.combine(word)
      hasher.combine(count)
    }
  }

  /// What is known of a key.
  struct Entry {
    let key: Value
    let isText: Bool
    /// UTF-8 of a text, else CBOR.
    let bytes: [UInt8]
    /// The first eight bytes as a number, so that most comparisons need no more.
    let prefix: UInt64
    let hash: UInt64
  }

  private(set) var entries: [Entry] = []
  /// Bytes of all keys.
  private(set) var byteCount = 0
  private var texts: [ExactText: Int32] = [:]
  private var others: [Value: Int32] = [:]

  /// The number of the key `id`; by it elements of a list are told apart.
  static let identity: Int32 = 0

  init() { _ = add(.text("id"), bytes: Array("id".utf8), isText: true) }

  /// It has come to more than a state's limits allow to be remembered: begin another, and forget the trees with it.
  func isFull(_ limits: StateLimits) -> Bool {
    entries.count > limits.maximumValues * StateLimits.keysPerValue
      || byteCount > (limits.maximumBytes + 4096) * StateLimits.keysPerValue
  }

  subscript(number: Int32) -> Entry { entries[Int(number)] }

  /// The number of a key.
  /// - Throws: for a key that has no CBOR.
  mutating func number(of key: Value) throws(StateError) -> Int32 {
    if case .text(let text) = key {
      if let known = texts[ExactText(text: text)] { return known }
      return add(key, bytes: Array(text.utf8), isText: true)
    }
    if let known = others[key] { return known }
    do {
      return add(key, bytes: try key.cbor(), isText: false)
    } catch {
      throw .notEncodable("\(error)")
    }
  }

  private mutating func add(_ key: Value, bytes: [UInt8], isText: Bool) -> Int32 {
    let number = Int32(truncatingIfNeeded: entries.count)
    byteCount += bytes.count
    var prefix: UInt64 = 0
    for place in 0..<8 { prefix = prefix << 8 | (place < bytes.count ? UInt64(bytes[place]) : 0) }
    var hash = StateHash()
    hash.combine(isText ? 1 : 0)
    hash.combine(bytes[...])
    entries.append(Entry(key: key, isText: isText, bytes: bytes, prefix: prefix, hash: hash.value))
    if case .text(let text) = key { texts[ExactText(text: text)] = number } else { others[key] = number }
    return number
  }

  /// The order of keys in a dictionary: texts by their bytes, then others by theirs.
  func precedes(_ one: Int32, _ other: Int32) -> Bool {
    let (one, other) = (self[one], self[other])
    if one.isText != other.isText { return one.isText }
    if one.prefix != other.prefix { return one.prefix < other.prefix }
    return one.bytes.lexicographicallyPrecedes(other.bytes)
  }
}
