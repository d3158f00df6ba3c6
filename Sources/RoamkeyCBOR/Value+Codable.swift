/// A value as a part of other types, whatever they are coded with. Our own coders take it as it is.
extension Value: Codable {
  public func encode(to encoder: any Encoder) throws {
    switch self {
    case .dictionary(let entries):
      var container = encoder.container(keyedBy: ValueKey.self)
      for (key, value) in entries {
        guard let key = ValueKey(key) else {
          throw EncodingError.invalidValue(
            self, .init(codingPath: encoder.codingPath, debugDescription: "a key is a text or a whole number"))
        }
        try container.encode(value, forKey: key)
      }
    case .list(let elements):
      var container = encoder.unkeyedContainer()
      for element in elements { try container.encode(element) }
    case .null, .undefined, .bool, .integer, .number, .bytes, .text, .tagged, .simple:
      try encode(single: encoder.singleValueContainer(), at: encoder.codingPath)
    }
  }

  private func encode(
    single container: consuming any SingleValueEncodingContainer, at path: [any CodingKey]
  ) throws {
    switch self {
    case .null, .undefined: try container.encodeNil()
    case .bool(let value): try container.encode(value)
    case .number(let value): try container.encode(value)
    case .text(let value): try container.encode(value)
    case .bytes(let value): try container.encode(value)
    case .tagged(_, let value): try container.encode(value)
    case .integer(let value):
      if let value = Int64(exactly: value) {
        try container.encode(value)
      } else if let value = UInt64(exactly: value) {
        try container.encode(value)
      } else {
        throw EncodingError.invalidValue(
          self, .init(codingPath: path, debugDescription: "a whole number beyond 64 bits"))
      }
    case .list, .dictionary, .simple:
      throw EncodingError.invalidValue(self, .init(codingPath: path, debugDescription: "\(self) has no other form"))
    }
  }

  public init(from decoder: any Decoder) throws {
    if let container = try? decoder.container(keyedBy: ValueKey.self) {
      var entries: [Value: Value] = [:]
      for key in container.allKeys { entries[key.value] = try container.decode(Value.self, forKey: key) }
      self = .dictionary(entries)
    } else if var container = try? decoder.unkeyedContainer() {
      var elements: [Value] = []
      while !container.isAtEnd { elements.append(try container.decode(Value.self)) }
      self = .list(elements)
    } else {
      let container = try decoder.singleValueContainer()
      self =
        if container.decodeNil() {
          .null
        } else if let value = try? container.decode(Bool.self) {
          .bool(value)
        } else if let value = try? container.decode(Int64.self) {
          .integer(Int128(value))
        } else if let value = try? container.decode(UInt64.self) {
          .integer(Int128(value))
        } else if let value = try? container.decode(Double.self) {
          .number(value)
        } else {
          .text(try container.decode(String.self))
        }
    }
  }
}

/// A key of any dictionary, in the formats of others.
private struct ValueKey: CodingKey {
  let stringValue: String
  let intValue: Int?

  init?(_ value: Value) {
    switch value {
    case .text(let text): self.init(stringValue: text)
    case .integer(let number):
      guard let number = Int(exactly: number) else { return nil }
      self.init(intValue: number)
    default: return nil
    }
  }

  init(stringValue: String) { (self.stringValue, intValue) = (stringValue, nil) }
  init(intValue: Int) { (stringValue, self.intValue) = ("\(intValue)", intValue) }
}
