/// CBOR, the compact form in which values travel (RFC 8949), written deterministically (section 4.2.1).
public enum CBOR {
  /// Lists, dictionaries and tags in each other, at most; deeper ones are refused, written or read.
  public static let maximumDepth = 16

  /// Any value whose type is `Encodable`, in bytes: structures become dictionaries by the names of their properties,
  /// arrays lists, `[UInt8]` bytes, and a `CodingKey` with a number is a number.
  /// - Throws: ``CBORError`` beyond ``maximumDepth``; `EncodingError`, or what the type itself throws.
  public static func encode(_ value: some Encodable) throws -> [UInt8] { try Value(encoding: value).cbor() }

  /// The value of that type which bytes stand for.
  /// - Throws: ``CBORError`` where they are no CBOR, `DecodingError` where they are something else.
  public static func decode<T: Decodable>(_ type: T.Type = T.self, from bytes: [UInt8]) throws -> T {
    try Value(cbor: bytes).decode()
  }

  /// The level below `depth`.
  static func deeper(than depth: Int) throws(CBORError) -> Int {
    guard depth < maximumDepth else { throw .tooDeep(limit: maximumDepth) }
    return depth + 1
  }
}

extension Value {
  /// What bytes stand for.
  /// - Throws: where they are no CBOR, or nested beyond ``CBOR/maximumDepth``.
  public init(cbor bytes: [UInt8]) throws(CBORError) {
    var reader = CBORReader(bytes)
    self = try reader.readAll()
  }

  /// The bytes that stand for it; the same for equal values.
  /// - Throws: beyond ``CBOR/maximumDepth``, for a whole number beyond 64 bits, and for a simple value that there is
  ///   not.
  public func cbor() throws(CBORError) -> [UInt8] {
    var writer = CBORWriter()
    try writer.write(self)
    return writer.bytes
  }

  /// The value of that type which it stands for.
  /// - Throws: `DecodingError` where it stands for something else.
  public func decode<T: Decodable>(_ type: T.Type = T.self) throws -> T {
    try BodyDecoder(value: self, codingPath: []).unbox(T.self)
  }

  /// What a value of any type looks like without it.
  /// - Throws: `EncodingError`, or what the type itself throws.
  public init(encoding value: some Encodable) throws {
    let box = ValueBox()
    try BodyEncoder(box: box, codingPath: []).encode(value)
    self = box.value
  }
}
