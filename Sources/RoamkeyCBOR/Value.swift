/// A value whose type need not be declared: numbers, texts, lists and dictionaries of them, as they go over the wire.
///
///     let hero: Value = ["name": "Ada", "hp": 10, "bag": ["rope", "lamp"]]
///     hero["hp"]?.int        // 10
///     hero["bag"]?[1]?.text  // "lamp"
///
/// It is all that CBOR knows (RFC 8949), so whatever was received can be looked at. Values are equal when they are
/// written as the same bytes: `1` is not `1.0`, and NaN is itself.
public enum Value: Sendable {
  /// Nothing, as a value that is there.
  case null
  /// What other languages call undefined.
  case undefined
  /// True or false.
  case bool(Bool)
  /// A whole number, from -2^64 to 2^64 - 1.
  case integer(Int128)
  /// A number that need not be whole.
  case number(Double)
  /// Bytes.
  case bytes([UInt8])
  /// Text.
  case text(String)
  /// Values in a row.
  case list([Value])
  /// Values by their keys, which are texts or whole numbers nearly always.
  case dictionary([Value: Value])
  /// A value that is meant in a special way, which the number tells (RFC 8949, section 3.4).
  indirect case tagged(UInt64, Value)
  /// A value without a name here: 0 to 19 and 32 to 255 (RFC 8949, section 3.3).
  case simple(UInt8)
}

// MARK: Reading

extension Value {
  /// The whole number that it is; nil for anything else, and for one that does not fit.
  public var int: Int? {
    switch self {
    case .integer(let value): Int(exactly: value)
    case .number(let value): Int(exactly: value)
    default: nil
    }
  }

  /// The number that it is, whole or not; nil for anything else.
  public var double: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }

  /// True or false; nil for anything else.
  public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }

  /// The text that it is; nil for anything else.
  public var text: String? { if case .text(let value) = self { value } else { nil } }

  /// The bytes that it is; nil for anything else.
  public var bytes: [UInt8]? { if case .bytes(let value) = self { value } else { nil } }

  /// The list that it is; nil for anything else.
  public var list: [Value]? { if case .list(let value) = self { value } else { nil } }

  /// The dictionary that it is; nil for anything else.
  public var dictionary: [Value: Value]? { if case .dictionary(let value) = self { value } else { nil } }

  /// Whether it is nothing.
  public var isNull: Bool { if case .null = self { true } else { false } }

  /// What stands under a key; nil where nothing does, and in anything but a dictionary.
  ///
  /// What is set makes a dictionary of anything that is none; nil removes the key.
  public subscript(key: String) -> Value? {
    get { dictionary?[.text(key)] }
    set {
      var entries = dictionary ?? [:]
      // The old storage is let go, so that the new one is not a copy.
      self = .null
      entries[.text(key)] = newValue
      self = .dictionary(entries)
    }
  }

  /// What stands at a place of a list, or under a whole number in a dictionary; nil where nothing does.
  public subscript(index: Int) -> Value? {
    switch self {
    case .list(let list): list.indices.contains(index) ? list[index] : nil
    case .dictionary(let entries): entries[.integer(Int128(index))]
    default: nil
    }
  }
}

// MARK: Writing it down

/// `nil` is no way to write `null`: it would then be hard to tell from nothing at all, as in `value["key"] == nil`.
extension Value: ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByStringInterpolation, ExpressibleByArrayLiteral,
  ExpressibleByDictionaryLiteral
{
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(integerLiteral value: Int128) { self = .integer(value) }
  public init(floatLiteral value: Double) { self = .number(value) }
  public init(stringLiteral value: String) { self = .text(value) }
  public init(arrayLiteral elements: Value...) { self = .list(elements) }
  /// Of a key that stands there twice the last one counts.
  public init(dictionaryLiteral elements: (Value, Value)...) {
    self = .dictionary(Dictionary(elements, uniquingKeysWith: { _, last in last }))
  }

  /// A whole number.
  public init(_ value: some BinaryInteger & Sendable) { self = .integer(Int128(clamping: value)) }
  /// A number.
  public init(_ value: Double) { self = .number(value) }
  /// A text.
  public init(_ value: String) { self = .text(value) }
  /// True or false.
  public init(_ value: Bool) { self = .bool(value) }
  /// Bytes.
  public init(_ value: [UInt8]) { self = .bytes(value) }
  /// A list.
  public init(_ value: [Value]) { self = .list(value) }
  /// A dictionary.
  public init(_ value: [String: Value]) {
    self = .dictionary(Dictionary(value.map { (.text($0), $1) }, uniquingKeysWith: { _, last in last }))
  }
}

// MARK: Comparing

extension Value: Hashable {
  public static func == (one: Value, other: Value) -> Bool {
    switch (one, other) {
    case (.null, .null), (.undefined, .undefined): true
    case (.bool(let one), .bool(let other)): one == other
    case (.integer(let one), .integer(let other)): one == other
    case (.number(let one), .number(let other)): bits(one) == bits(other)
    case (.bytes(let one), .bytes(let other)): one == other
    // Texts that look alike may be written in several ways, and these are other bytes.
    case (.text(let one), .text(let other)): one.utf8.elementsEqual(other.utf8)
    case (.list(let one), .list(let other)): one == other
    case (.dictionary(let one), .dictionary(let other)): one == other
    case (.tagged(let tag, let one), .tagged(let otherTag, let other)): tag == otherTag && one == other
    case (.simple(let one), .simple(let other)): one == other
    default: false
    }
  }

  public func hash(into hasher: inout Hasher) {
    switch self {
    case .null: hasher.combine(0)
    case .undefined: hasher.combine(1)
    case .bool(let value): hasher.combine(value)
    case .integer(let value): hasher.combine(value)
    case .number(let value): hasher.combine(Self.bits(value))
    case .bytes(let value): hasher.combine(value)
    case .text(let value):
      // With the end marked, so that neighbours do not run into each other.
      for byte in value.utf8 { hasher.combine(byte) }
      hasher.combine(UInt8(0xff))
    case .list(let value): hasher.combine(value)
    case .dictionary(let value): hasher.combine(value)
    case .tagged(let tag, let value):
      hasher.combine(tag)
      hasher.combine(value)
    case .simple(let value):
      hasher.combine(2)
      hasher.combine(value)
    }
  }

  /// One pattern for every NaN, as on the wire.
  private static func bits(_ value: Double) -> UInt64 { value.isNaN ? Double.nan.bitPattern : value.bitPattern }
}
