/// Proquints: sixteen bits as five letters that can be said aloud, for instance `lusab` (arXiv:0901.4016).
enum Proquint {
  private static let consonants = Array("bdfghjklmnprstvz")
  private static let vowels = Array("aiou")

  /// One word for each two bytes, in network order, with hyphens between.
  static func text(of bytes: [UInt8]) -> String {
    precondition(bytes.count.isMultiple(of: 2), "a word has two bytes")
    return stride(from: 0, to: bytes.count, by: 2)
      .map { word(UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1])) }
      .joined(separator: "-")
  }

  private static func word(_ value: UInt16) -> String {
    let value = Int(value)
    return String([
      consonants[value >> 12], vowels[value >> 10 & 3], consonants[value >> 6 & 15], vowels[value >> 4 & 3],
      consonants[value & 15],
    ])
  }
}
