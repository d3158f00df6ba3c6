/// Writes values as CBOR in the one way that RFC 8949, section 4.2.1, calls deterministic: shortest numbers, definite
/// lengths, keys in the order of their bytes. Equal values are equal bytes, whoever writes them.
struct CBORWriter {
  private(set) var bytes: [UInt8] = []

  mutating func write(_ value: Value, depth: Int = 0) throws(CBORError) {
    switch value {
    case .null: bytes.append(Major.simple.byte | 22)
    case .undefined: bytes.append(Major.simple.byte | 23)
    case .bool(let value): bytes.append(Major.simple.byte | (value ? 21 : 20))
    case .integer(let value): try write(integer: value)
    case .number(let value): write(number: value)
    case .bytes(let value):
      writeHead(.bytes, UInt64(value.count))
      bytes += value
    case .text(let value):
      writeHead(.text, UInt64(value.utf8.count))
      bytes += value.utf8
    case .list(let elements):
      let depth = try CBOR.deeper(than: depth)
      writeHead(.list, UInt64(elements.count))
      for element in elements { try write(element, depth: depth) }
    case .dictionary(let entries):
      try write(entries, depth: CBOR.deeper(than: depth))
    case .tagged(let tag, let value):
      let depth = try CBOR.deeper(than: depth)
      writeHead(.tag, tag)
      try write(value, depth: depth)
    case .simple(let number):
      guard !(20..<32).contains(number) else { throw .reservedSimple(number) }
      writeHead(.simple, UInt64(number))
    }
  }

  /// RFC 8949, section 3: the kind in the upper three bits; a number below 24 in the others, a larger one behind in 1,
  /// 2, 4 or 8 bytes.
  private mutating func writeHead(_ major: Major, _ argument: UInt64) {
    switch argument {
    case 0..<24: bytes.append(major.byte | UInt8(argument))
    case 24...0xff: write(major, 24, argument, count: 1)
    case 0x100...0xffff: write(major, 25, argument, count: 2)
    case 0x1_0000...0xffff_ffff: write(major, 26, argument, count: 4)
    default: write(major, 27, argument, count: 8)
    }
  }

  private mutating func write(_ major: Major, _ information: UInt8, _ argument: UInt64, count: Int) {
    bytes.append(major.byte | information)
    for shift in (0..<count).reversed() { bytes.append(UInt8(truncatingIfNeeded: argument >> UInt64(8 * shift))) }
  }

  private mutating func write(integer value: Int128) throws(CBORError) {
    if let value = UInt64(exactly: value) {
      writeHead(.unsigned, value)
    } else if value < 0, let value = UInt64(exactly: -1 - value) {
      writeHead(.negative, value)
    } else {
      throw .integerTooLarge
    }
  }

  /// The shortest of 16, 32 and 64 bits that is the same number; one NaN for all.
  private mutating func write(number value: Double) {
    let short = Float(value)
    if value.isNaN {
      write(.simple, 25, 0x7e00, count: 2)
    } else if let half = HalfFloat.bits(of: value) {
      write(.simple, 25, UInt64(half), count: 2)
    } else if Double(short) == value {
      write(.simple, 26, UInt64(short.bitPattern), count: 4)
    } else {
      write(.simple, 27, value.bitPattern, count: 8)
    }
  }

  private mutating func write(_ entries: [Value: Value], depth: Int) throws(CBORError) {
    var keys: [(bytes: [UInt8], value: Value)] = []
    keys.reserveCapacity(entries.count)
    for (key, value) in entries {
      var writer = CBORWriter()
      try writer.write(key, depth: depth)
      keys.append((writer.bytes, value))
    }
    keys.sort { $0.bytes.lexicographicallyPrecedes($1.bytes) }
    writeHead(.dictionary, UInt64(entries.count))
    for (key, value) in keys {
      bytes += key
      try write(value, depth: depth)
    }
  }
}

/// The kinds of CBOR's items (RFC 8949, section 3.1).
enum Major: UInt8 {
  case unsigned, negative, bytes, text, list, dictionary, tag, simple

  /// In the upper three bits.
  var byte: UInt8 { rawValue << 5 }
}
