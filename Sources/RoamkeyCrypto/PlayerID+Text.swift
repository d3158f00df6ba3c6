extension PlayerID: CustomStringConvertible {
  /// The human part of every player id.
  static let textPrefix = "rk"

  /// The id as text: `rk1` and 58 more characters (Bech32m, BIP 350).
  public var description: String { Bech32m.encode(prefix: PlayerID.textPrefix, publicKey.bytes) }

  /// The id that `text` shows.
  ///
  /// All lower-case or all upper-case; white space around it does not matter.
  /// - Throws: `PlayerIDError`, which says what is wrong. Up to four wrong characters are always noticed.
  public init(_ text: String) throws(PlayerIDError) {
    let text = PlayerID.trimmed(text)
    guard !text.isEmpty else { throw PlayerIDError(.empty) }
    let decoded: (prefix: String, groups: [UInt8])
    do {
      decoded = try Bech32m.decode(text)
    } catch {
      throw PlayerIDError(error, in: text)
    }
    guard decoded.prefix == PlayerID.textPrefix else { throw PlayerIDError(.notAPlayerID) }
    guard let bytes = Bech32m.bytes(of: decoded.groups), bytes.count == Digest.size else {
      throw PlayerIDError(.wrongLength)
    }
    self.init(publicKey: Digest(bytes))
  }

  /// Six words that can be read aloud, to compare keys by telephone: 96 bits of a BLAKE2b hash of the key.
  ///
  /// For people to compare with a fingerprint they were told, never for a program to recognise a player by.
  public var fingerprint: String {
    let hash = BLAKE2b.hash("rk1 fingerprint", count: 12) { $0.update(publicKey) }
    return Proquint.text(of: Array(hash.bytes.prefix(12)))
  }

  /// The fingerprint's first two words, such as `lusab-babad`: what to call somebody who has given no name.
  ///
  /// They are 32 bits, which somebody who tries long enough finds again for a key of their own: for people to tell
  /// players apart, never to know one by.
  public var shortFingerprint: String {
    fingerprint.split(separator: "-").prefix(2).joined(separator: "-")
  }

  private static func trimmed(_ text: String) -> String {
    let scalars = text.unicodeScalars
    guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
      let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
    else { return "" }
    return String(scalars[first...last])
  }
}

/// Why a text is not a player id, in a sentence that says what to do.
public struct PlayerIDError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What is wrong. More may be added.
  public struct Code: Hashable, Sendable {
    private let name: Name

    /// There was no text at all.
    public static let empty = Code(name: .empty)
    /// Something else than a player id.
    public static let notAPlayerID = Code(name: .notAPlayerID)
    /// Upper and lower case are mixed.
    public static let mixedCase = Code(name: .mixedCase)
    /// A character that no player id contains.
    public static let badCharacter = Code(name: .badCharacter)
    /// Too short or too long: a part was lost, or something was added.
    public static let wrongLength = Code(name: .wrongLength)
    /// The checksum does not fit: at least one character is wrong.
    public static let typo = Code(name: .typo)

    private enum Name { case empty, notAPlayerID, mixedCase, badCharacter, wrongLength, typo }
  }

  /// What is wrong.
  public let code: Code
  private let character: Unicode.Scalar?

  init(_ code: Code, character: Unicode.Scalar? = nil) {
    self.code = code
    self.character = character
  }

  fileprivate init(_ error: Bech32m.DecodingError, in text: String) {
    // Something quite different is better told from a player id with a fault.
    guard text.lowercased().hasPrefix(PlayerID.textPrefix + "1") else {
      self.init(.notAPlayerID)
      return
    }
    switch error {
    case .tooLong, .tooShort: self.init(.wrongLength)
    case .noSeparator: self.init(.notAPlayerID)
    case .mixedCase: self.init(.mixedCase)
    case .character(let scalar): self.init(.badCharacter, character: scalar)
    case .checksum: self.init(text.utf8.count == 61 ? .typo : .wrongLength)
    }
  }

  public var description: String {
    switch code {
    case .empty: return "The player id is empty: give the whole text that begins with rk1."
    case .mixedCase: return "The player id mixes upper and lower case: copy it again, all in lower case."
    case .wrongLength: return "The player id does not have 61 characters: copy it again, as a whole."
    case .typo: return "The player id has a typo: its checksum does not fit, so compare it with the original."
    case .badCharacter:
      return "The player id contains \(PlayerIDError.name(of: character)), which no player id does: copy it again."
    default: return "This is not a player id: give a text that begins with rk1."
    }
  }

  /// Printable characters in quotes, others by number, so that nobody's terminal obeys them.
  private static func name(of scalar: Unicode.Scalar?) -> String {
    guard let scalar else { return "a character" }
    let printable = scalar.value > 32 && scalar.value < 127
    return printable ? "'\(scalar)'" : "the character U+\(String(scalar.value, radix: 16, uppercase: true))"
  }
}
