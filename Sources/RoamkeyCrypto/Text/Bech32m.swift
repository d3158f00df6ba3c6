/// Bech32m (BIP 350): text that survives copying by hand, with a checksum that tells every typo of up to four
/// characters.
enum Bech32m {
  /// Why a text is not Bech32m.
  enum DecodingError: Error, Equatable {
    case tooLong, mixedCase, noSeparator, tooShort, checksum
    /// What cannot stand there, for instance one of `1bio`, which look like other characters.
    case character(Unicode.Scalar)
  }

  /// The most characters for which the checksum keeps its promise (BIP 173).
  static let maximumLength = 90

  private static let checksumLength = 6
  private static let checksumConstant: UInt32 = 0x2bc8_30a3
  private static let alphabet = Array("qpzry9x8gf2tvdw0s3jn54khce6mua7l".utf8)

  /// The lower-case text of `bytes`.
  /// - Parameter prefix: the human-readable part, in lower case.
  static func encode(prefix: String, _ bytes: [UInt8]) -> String {
    let prefix = Array(prefix.utf8)
    let data = fiveBitGroups(bytes)
    let sum = checksum(prefix, data + [UInt8](repeating: 0, count: checksumLength)) ^ checksumConstant
    let tail = (0..<checksumLength).map { UInt8(truncatingIfNeeded: sum >> (5 * UInt32(5 - $0))) & 31 }
    let text = prefix + [UInt8(ascii: "1")] + (data + tail).map { alphabet[Int($0)] }
    precondition(text.count <= maximumLength, "Bech32m has at most 90 characters")
    return String(decoding: text, as: UTF8.self)
  }

  /// The human-readable part in lower case, and the groups of five bits behind it, checksum verified and removed.
  static func decode(_ text: String) throws(DecodingError) -> (prefix: String, groups: [UInt8]) {
    // Counted before anything else looks at it: the text may come from anywhere.
    guard text.utf8.count <= maximumLength else { throw .tooLong }
    if let scalar = text.unicodeScalars.first(where: { $0.value < 33 || $0.value > 126 }) { throw .character(scalar) }
    var characters = Array(text.utf8)
    let hasUpper = characters.contains { isUpper($0) }
    guard !hasUpper || !characters.contains(where: { isLower($0) }) else { throw .mixedCase }
    if hasUpper { characters = characters.map { isUpper($0) ? $0 + 32 : $0 } }

    guard let separator = characters.lastIndex(of: UInt8(ascii: "1")), separator > 0 else { throw .noSeparator }
    let prefix = Array(characters[..<separator])
    let tail = characters[(separator + 1)...]
    var groups: [UInt8] = []
    for character in tail {
      guard let value = alphabet.firstIndex(of: character) else { throw .character(Unicode.Scalar(character)) }
      groups.append(UInt8(value))
    }
    guard groups.count >= checksumLength else { throw .tooShort }
    guard checksum(prefix, groups) == checksumConstant else { throw .checksum }
    groups.removeLast(checksumLength)
    return (String(decoding: prefix, as: UTF8.self), groups)
  }

  /// The bytes of groups of five bits; nil where more than padding is left over, or the padding is not zero.
  static func bytes(of groups: [UInt8]) -> [UInt8]? {
    var result: [UInt8] = []
    var pending: UInt32 = 0
    var bits = 0
    for group in groups {
      pending = (pending << 5 | UInt32(group)) & 0xfff
      bits += 5
      if bits >= 8 {
        bits -= 8
        result.append(UInt8(truncatingIfNeeded: pending >> UInt32(bits)))
      }
    }
    guard bits < 5, pending & (1 << UInt32(bits) - 1) == 0 else { return nil }
    return result
  }

  private static func fiveBitGroups(_ bytes: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    var pending: UInt32 = 0
    var bits = 0
    for byte in bytes {
      pending = (pending << 8 | UInt32(byte)) & 0xfff
      bits += 8
      while bits >= 5 {
        bits -= 5
        result.append(UInt8(truncatingIfNeeded: pending >> UInt32(bits)) & 31)
      }
    }
    if bits > 0 { result.append(UInt8(truncatingIfNeeded: pending << UInt32(5 - bits)) & 31) }
    return result
  }

  /// The BCH code of BIP 173 over the expanded prefix and the groups.
  private static func checksum(_ prefix: [UInt8], _ groups: [UInt8]) -> UInt32 {
    var state: UInt32 = 1
    func feed(_ value: UInt8) {
      let top = state >> 25
      state = (state & 0x1ff_ffff) << 5 ^ UInt32(value)
      if top & 1 != 0 { state ^= 0x3b6a_57b2 }
      if top & 2 != 0 { state ^= 0x2650_8e6d }
      if top & 4 != 0 { state ^= 0x1ea1_19fa }
      if top & 8 != 0 { state ^= 0x3d42_33dd }
      if top & 16 != 0 { state ^= 0x2a14_62b3 }
    }
    for character in prefix { feed(character >> 5) }
    feed(0)
    for character in prefix { feed(character & 31) }
    for group in groups { feed(group) }
    return state
  }

  private static func isUpper(_ character: UInt8) -> Bool { (65...90).contains(character) }
  private static func isLower(_ character: UInt8) -> Bool { (97...122).contains(character) }
}
