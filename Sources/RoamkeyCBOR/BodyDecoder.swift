/// Makes values of types (`Decodable`) of what was received.
struct BodyDecoder: Decoder {
  let value: Value
  let codingPath: [any CodingKey]
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    guard case .dictionary(let entries) = value else { throw mismatch([Value: Value].self) }
    return KeyedDecodingContainer(KeyedBodyDecoder<Key>(entries: entries, codingPath: codingPath))
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    switch value {
    case .list(let elements): return UnkeyedBodyDecoder(elements: elements, codingPath: codingPath)
    // Who wants a list of small numbers gets it of bytes too.
    case .bytes(let bytes):
      return UnkeyedBodyDecoder(elements: bytes.map { .integer(Int128($0)) }, codingPath: codingPath)
    default: throw mismatch([Value].self)
    }
  }

  func singleValueContainer() -> any SingleValueDecodingContainer { self }

  /// The value as one of that type.
  func unbox<T: Decodable>(_ type: T.Type) throws -> T {
    if T.self == Value.self, let value = value as? T { return value }
    if T.self == [UInt8].self, case .bytes(let bytes) = value, let bytes = bytes as? T { return bytes }
    return try T(from: self)
  }

  private func mismatch(_ type: Any.Type) -> DecodingError {
    DecodingError.typeMismatch(
      type, .init(codingPath: codingPath, debugDescription: "\(kind) stands where \(type) should be"))
  }

  /// What it is, in words.
  private var kind: String {
    switch value {
    case .null, .undefined: "nothing"
    case .bool: "a bool"
    case .integer: "a whole number"
    case .number: "a number"
    case .bytes: "bytes"
    case .text: "a text"
    case .list: "a list"
    case .dictionary: "a dictionary"
    case .tagged: "a tagged value"
    case .simple: "a simple value"
    }
  }
}

extension BodyDecoder: SingleValueDecodingContainer {
  func decodeNil() -> Bool {
    switch value {
    case .null, .undefined: true
    default: false
    }
  }

  func decode(_ type: Bool.Type) throws -> Bool {
    guard case .bool(let value) = value else { throw mismatch(type) }
    return value
  }

  func decode(_ type: String.Type) throws -> String {
    guard case .text(let value) = value else { throw mismatch(type) }
    return value
  }

  func decode(_ type: Double.Type) throws -> Double {
    guard let value = value.double else { throw mismatch(type) }
    return value
  }

  func decode(_ type: Float.Type) throws -> Float { Float(try decode(Double.self)) }
  func decode(_ type: Int.Type) throws -> Int { try whole(type) }
  func decode(_ type: Int8.Type) throws -> Int8 { try whole(type) }
  func decode(_ type: Int16.Type) throws -> Int16 { try whole(type) }
  func decode(_ type: Int32.Type) throws -> Int32 { try whole(type) }
  func decode(_ type: Int64.Type) throws -> Int64 { try whole(type) }
  func decode(_ type: UInt.Type) throws -> UInt { try whole(type) }
  func decode(_ type: UInt8.Type) throws -> UInt8 { try whole(type) }
  func decode(_ type: UInt16.Type) throws -> UInt16 { try whole(type) }
  func decode(_ type: UInt32.Type) throws -> UInt32 { try whole(type) }
  func decode(_ type: UInt64.Type) throws -> UInt64 { try whole(type) }
  func decode<T: Decodable>(_ type: T.Type) throws -> T { try unbox(type) }

  private func whole<T: FixedWidthInteger>(_ type: T.Type) throws -> T {
    switch value {
    case .integer(let value):
      if let value = T(exactly: value) { return value }
    case .number(let value):
      // Languages with one kind of number write whole ones this way.
      if let value = T(exactly: value) { return value }
    default: throw mismatch(type)
    }
    throw DecodingError.dataCorrupted(
      .init(codingPath: codingPath, debugDescription: "\(value) does not fit into \(type)"))
  }
}

/// The entries of a dictionary.
private struct KeyedBodyDecoder<Key: CodingKey>: KeyedDecodingContainerProtocol {
  let entries: [Value: Value]
  let codingPath: [any CodingKey]

  var allKeys: [Key] {
    entries.keys.compactMap { key in
      switch key {
      case .text(let text): Key(stringValue: text)
      case .integer(let number): Int(exactly: number).flatMap { Key(intValue: $0) }
      default: nil
      }
    }
  }

  /// A key with a number is found under its text as well: some keys take all texts that look like numbers for them.
  private func find(_ key: any CodingKey) -> Value? { entries[key.value] ?? entries[.text(key.stringValue)] }

  private func decoder(_ key: any CodingKey) throws -> BodyDecoder {
    guard let value = find(key) else {
      throw DecodingError.keyNotFound(
        key, .init(codingPath: codingPath, debugDescription: "there is nothing under \"\(key.stringValue)\""))
    }
    return BodyDecoder(value: value, codingPath: codingPath + [key])
  }

  func contains(_ key: Key) -> Bool { find(key) != nil }
  func decodeNil(forKey key: Key) throws -> Bool { try decoder(key).decodeNil() }
  func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T { try decoder(key).unbox(type) }

  func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key) throws
    -> KeyedDecodingContainer<Nested>
  {
    try decoder(key).container(keyedBy: type)
  }

  func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
    try decoder(key).unkeyedContainer()
  }

  func superDecoder() throws -> any Decoder { try decoder(SuperKey()) }
  func superDecoder(forKey key: Key) throws -> any Decoder { try decoder(key) }
}

/// The elements of a list.
private struct UnkeyedBodyDecoder: UnkeyedDecodingContainer {
  let elements: [Value]
  let codingPath: [any CodingKey]
  private(set) var currentIndex = 0

  init(elements: [Value], codingPath: [any CodingKey]) {
    self.elements = elements
    self.codingPath = codingPath
  }

  var count: Int? { elements.count }
  var isAtEnd: Bool { currentIndex >= elements.count }

  private func decoder(_ type: Any.Type) throws -> BodyDecoder {
    let path = codingPath + [IndexKey(currentIndex)]
    guard !isAtEnd else {
      throw DecodingError.valueNotFound(
        type, .init(codingPath: path, debugDescription: "the list has only \(elements.count) elements"))
    }
    return BodyDecoder(value: elements[currentIndex], codingPath: path)
  }

  mutating func decodeNil() throws -> Bool {
    let isNothing = try decoder(Never.self).decodeNil()
    if isNothing { currentIndex += 1 }
    return isNothing
  }

  mutating func decode<T: Decodable>(_ type: T.Type) throws -> T {
    let value = try decoder(type).unbox(type)
    currentIndex += 1
    return value
  }

  mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) throws -> KeyedDecodingContainer<Nested> {
    let container = try decoder([Value: Value].self).container(keyedBy: type)
    currentIndex += 1
    return container
  }

  mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
    let container = try decoder([Value].self).unkeyedContainer()
    currentIndex += 1
    return container
  }

  mutating func superDecoder() throws -> any Decoder {
    let decoder = try decoder((any Decoder).self)
    currentIndex += 1
    return decoder
  }
}
