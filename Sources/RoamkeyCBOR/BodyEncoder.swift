/// Turns what types say of themselves (`Encodable`) into values.
struct BodyEncoder: Encoder {
  let box: ValueBox
  let codingPath: [any CodingKey]
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    box.beginDictionary()
    return KeyedEncodingContainer(KeyedBodyEncoder<Key>(box: box, codingPath: codingPath))
  }

  func unkeyedContainer() -> any UnkeyedEncodingContainer {
    box.beginList()
    return UnkeyedBodyEncoder(box: box, codingPath: codingPath)
  }

  func singleValueContainer() -> any SingleValueEncodingContainer { self }

  /// What a key, or an element, is written into.
  func inner(_ box: ValueBox, _ key: any CodingKey) -> BodyEncoder {
    BodyEncoder(box: box, codingPath: codingPath + [key])
  }
}

extension BodyEncoder: SingleValueEncodingContainer {
  mutating func encodeNil() { box.set(.null) }
  mutating func encode(_ value: Bool) { box.set(.bool(value)) }
  mutating func encode(_ value: String) { box.set(.text(value)) }
  mutating func encode(_ value: Double) { box.set(.number(value)) }
  mutating func encode(_ value: Float) { box.set(.number(Double(value))) }
  mutating func encode(_ value: Int) { box.set(.integer(Int128(value))) }
  mutating func encode(_ value: Int8) { box.set(.integer(Int128(value))) }
  mutating func encode(_ value: Int16) { box.set(.integer(Int128(value))) }
  mutating func encode(_ value: Int32) { box.set(.integer(Int128(value))) }
  mutating func encode(_ value: Int64) { box.set(.integer(Int128(value))) }
  mutating func encode(_ value: UInt) { box.set(.integer(Int128(value))) }
  mutating func encode(_ value: UInt8) { box.set(.integer(Int128(value))) }
  mutating func encode(_ value: UInt16) { box.set(.integer(Int128(value))) }
  mutating func encode(_ value: UInt32) { box.set(.integer(Int128(value))) }
  mutating func encode(_ value: UInt64) { box.set(.integer(Int128(value))) }

  func encode<T: Encodable>(_ value: T) throws {
    // A type that contains itself without an end would take the stack.
    guard codingPath.count < CBOR.maximumDepth else { throw CBORError.tooDeep(limit: CBOR.maximumDepth) }
    // By the type alone: an empty array of anything can be cast to one of bytes.
    switch T.self {
    case is Value.Type: if let value = value as? Value { box.set(value) }
    case is [UInt8].Type: if let value = value as? [UInt8] { box.set(.bytes(value)) }
    default:
      guard let value = value as? any TextDictionary else { return try value.encode(to: self) }
      box.beginDictionary()
      for (key, value) in value.textEntries { try inner(box.append(.text(key)), TextKey(key)).encode(value) }
    }
  }
}

/// A text as a key, also where it looks like a number.
private struct TextKey: CodingKey {
  let stringValue: String

  init(_ text: String) { stringValue = text }
  init?(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { nil }

  var intValue: Int? { nil }
}

/// The entries of a dictionary. Primitive types come here as `Encodable` too (the protocol's own way), and go on to the
/// encoder of their entry.
private struct KeyedBodyEncoder<Key: CodingKey>: KeyedEncodingContainerProtocol {
  let box: ValueBox
  let codingPath: [any CodingKey]

  private func inner(_ key: any CodingKey) -> BodyEncoder {
    BodyEncoder(box: box.append(key.value), codingPath: codingPath + [key])
  }

  mutating func encodeNil(forKey key: Key) { box.append(key.value).set(.null) }
  mutating func encode(_ value: Bool, forKey key: Key) { box.append(key.value).set(.bool(value)) }
  mutating func encode(_ value: String, forKey key: Key) { box.append(key.value).set(.text(value)) }
  mutating func encode(_ value: Double, forKey key: Key) { box.append(key.value).set(.number(value)) }
  mutating func encode(_ value: Float, forKey key: Key) { box.append(key.value).set(.number(Double(value))) }
  mutating func encode(_ value: Int, forKey key: Key) { whole(value, key) }
  mutating func encode(_ value: Int8, forKey key: Key) { whole(value, key) }
  mutating func encode(_ value: Int16, forKey key: Key) { whole(value, key) }
  mutating func encode(_ value: Int32, forKey key: Key) { whole(value, key) }
  mutating func encode(_ value: Int64, forKey key: Key) { whole(value, key) }
  mutating func encode(_ value: UInt, forKey key: Key) { whole(value, key) }
  mutating func encode(_ value: UInt8, forKey key: Key) { whole(value, key) }
  mutating func encode(_ value: UInt16, forKey key: Key) { whole(value, key) }
  mutating func encode(_ value: UInt32, forKey key: Key) { whole(value, key) }
  mutating func encode(_ value: UInt64, forKey key: Key) { whole(value, key) }
  mutating func encode(_ value: some Encodable, forKey key: Key) throws { try inner(key).encode(value) }

  private func whole(_ value: some BinaryInteger, _ key: Key) { box.append(key.value).set(.integer(Int128(value))) }

  mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key)
    -> KeyedEncodingContainer<Nested>
  {
    inner(key).container(keyedBy: type)
  }

  mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
    inner(key).unkeyedContainer()
  }

  mutating func superEncoder() -> any Encoder { inner(SuperKey()) }
  mutating func superEncoder(forKey key: Key) -> any Encoder { inner(key) }
}

/// The elements of a list.
private struct UnkeyedBodyEncoder: UnkeyedEncodingContainer {
  let box: ValueBox
  let codingPath: [any CodingKey]

  var count: Int { box.count }

  private func inner() -> BodyEncoder {
    let key = IndexKey(count)
    return BodyEncoder(box: box.append(), codingPath: codingPath + [key])
  }

  mutating func encodeNil() { box.append().set(.null) }
  mutating func encode(_ value: Bool) { box.append().set(.bool(value)) }
  mutating func encode(_ value: String) { box.append().set(.text(value)) }
  mutating func encode(_ value: Double) { box.append().set(.number(value)) }
  mutating func encode(_ value: Float) { box.append().set(.number(Double(value))) }
  mutating func encode(_ value: Int) { whole(value) }
  mutating func encode(_ value: Int8) { whole(value) }
  mutating func encode(_ value: Int16) { whole(value) }
  mutating func encode(_ value: Int32) { whole(value) }
  mutating func encode(_ value: Int64) { whole(value) }
  mutating func encode(_ value: UInt) { whole(value) }
  mutating func encode(_ value: UInt8) { whole(value) }
  mutating func encode(_ value: UInt16) { whole(value) }
  mutating func encode(_ value: UInt32) { whole(value) }
  mutating func encode(_ value: UInt64) { whole(value) }
  mutating func encode(_ value: some Encodable) throws { try inner().encode(value) }

  private func whole(_ value: some BinaryInteger) { box.append().set(.integer(Int128(value))) }

  mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
    inner().container(keyedBy: type)
  }

  mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { inner().unkeyedContainer() }

  mutating func superEncoder() -> any Encoder { inner() }
}
