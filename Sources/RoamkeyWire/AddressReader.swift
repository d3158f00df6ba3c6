/// Reads the text of one numeric address, from its first byte to its last.
struct AddressReader {
  /// No longer text can be one: `[`, 45 of IPv6, `%` and a scope of 10, `]`, `:` and a port of 5.
  static let longest = 64

  private let bytes: [UInt8]
  private var position = 0

  init(_ text: String) {
    bytes = Array(text.utf8.prefix(Self.longest + 1))
  }

  private var current: UInt8? { position < bytes.count ? bytes[position] : nil }
  private var isAtEnd: Bool { position == bytes.count }

  private mutating func skip(_ byte: UInt8) -> Bool {
    guard current == byte else { return false }
    position += 1
    return true
  }

  mutating func read(defaultPort: UInt16?) throws(NetworkAddressError) -> NetworkAddress {
    guard bytes.count <= Self.longest else { throw .notAnAddress }
    var address: NetworkAddress
    if skip(UInt8(ascii: "[")) {
      address = try ipv6()
      guard skip(UInt8(ascii: "]")) else {
        throw .notAnAddress
      }
    } else if bytes.count(where: { $0 == UInt8(ascii: ":") }) > 1 {
      // Two colons and no brackets: an IPv6 address, and all of it; where its port would begin nobody could tell.
      address = try ipv6()
      guard isAtEnd else { throw .notAnAddress }
    } else {
      guard let v4 = ipv4() else { throw .notAnAddress }
      address = NetworkAddress(ip: NetworkAddress.mappedPrefix | UInt128(v4), port: 0)
    }
    address.port = try port(default: defaultPort)
    return address
  }

  private mutating func port(default defaultPort: UInt16?) throws(NetworkAddressError) -> UInt16 {
    if isAtEnd {
      guard let defaultPort else { throw .missingPort }
      return defaultPort
    }
    guard skip(UInt8(ascii: ":")) else { throw .notAnAddress }
    guard let port = decimal(digits: 5, limit: 65535), isAtEnd else { throw .badPort }
    return UInt16(port)
  }

  /// Digits without a leading zero, at most `limit`; nil when there are none or too many.
  private mutating func decimal(digits: Int, limit: UInt64) -> UInt64? {
    let start = position
    var value: UInt64 = 0
    while let byte = current, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
      guard position - start < digits else { return nil }
      value = value * 10 + UInt64(byte - UInt8(ascii: "0"))
      position += 1
    }
    guard position > start, value <= limit else { return nil }
    return position - start > 1 && bytes[start] == UInt8(ascii: "0") ? nil : value
  }

  private mutating func ipv4() -> UInt32? {
    var address: UInt32 = 0
    for i in 0..<4 {
      if i > 0 && !skip(UInt8(ascii: ".")) { return nil }
      guard let byte = decimal(digits: 3, limit: 255) else { return nil }
      address = address << 8 | UInt32(byte)
    }
    return address
  }

  private mutating func ipv6() throws(NetworkAddressError) -> NetworkAddress {
    guard let ip = groups() else { throw .notAnAddress }
    var address = NetworkAddress(ip: ip, port: 0)
    guard skip(UInt8(ascii: "%")) else { return address }
    guard address.isLinkLocal, let scope = decimal(digits: 10, limit: UInt64(UInt32.max)), scope > 0 else {
      throw .badScope
    }
    address.scope = UInt32(scope)
    return address
  }

  /// Eight groups, or fewer with one `::`, the last two perhaps as an IPv4 address (RFC 4291 §2.2).
  private mutating func groups() -> UInt128? {
    var value: UInt128 = 0
    var count = 0
    var gap: Int?
    if skip(UInt8(ascii: ":")) {
      guard skip(UInt8(ascii: ":")) else { return nil }
      gap = 0
    }
    while let byte = current, byte.isHexDigit {
      let start = position
      guard count < 8, let group = hexadecimal() else { return nil }
      if current == UInt8(ascii: ".") {
        position = start
        guard count <= 6, let v4 = ipv4() else { return nil }
        value = value << 32 | UInt128(v4)
        count += 2
        break
      }
      value = value << 16 | UInt128(group)
      count += 1
      guard skip(UInt8(ascii: ":")) else { break }
      if skip(UInt8(ascii: ":")) {
        guard gap == nil else { return nil }
        gap = count
      } else if current?.isHexDigit != true {
        return nil
      }
    }
    guard let gap else { return count == 8 ? value : nil }
    // RFC 5952 writes `::` for two or more; RFC 4291 lets it stand for one, and readers take that.
    guard count < 8 else { return nil }
    let low = 16 * (count - gap)
    let tail = value & ((1 << low) - 1)
    let head = value >> low
    return gap == 0 ? tail : head << (128 - 16 * gap) | tail
  }

  private mutating func hexadecimal() -> UInt16? {
    let start = position
    var value: UInt16 = 0
    while let byte = current, byte.isHexDigit {
      guard position - start < 4 else { return nil }
      value = value << 4 | UInt16(byte.hexValue)
      position += 1
    }
    return value
  }
}

extension UInt8 {
  fileprivate var isHexDigit: Bool {
    UInt8(ascii: "0")...UInt8(ascii: "9") ~= self || UInt8(ascii: "a")...UInt8(ascii: "f") ~= self | 0x20
  }

  /// Of a hexadecimal digit.
  fileprivate var hexValue: UInt8 {
    self <= UInt8(ascii: "9") ? self - UInt8(ascii: "0") : (self | 0x20) - UInt8(ascii: "a") + 10
  }
}
