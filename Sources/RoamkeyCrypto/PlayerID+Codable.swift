/// In values and states: as its text, 61 characters, so that every language and every person can read it.
extension PlayerID: Codable, CodingKeyRepresentable {
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }

  /// - Throws: `DecodingError`, with the sentence of a `PlayerIDError`, for a text that is no player id.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    do throws(PlayerIDError) {
      self = try PlayerID(text)
    } catch {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: error.description)
    }
  }

  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  /// As the key of a dictionary: the same text.
  public var codingKey: any CodingKey { Key(stringValue: description) }

  public init?(codingKey: some CodingKey) {
    guard let id = try? PlayerID(codingKey.stringValue) else { return nil }
    self = id
  }
}
