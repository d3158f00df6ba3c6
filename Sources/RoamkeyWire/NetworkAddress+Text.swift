/// Why a text is not a numeric address. Its description says what to do.
public enum NetworkAddressError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Neither an IPv4 nor an IPv6 address in digits.
  case notAnAddress
  /// There is no port, and none to fall back on.
  case missingPort
  /// The port is not a number from 0 to 65535.
  case badPort
  /// What follows the `%` is not an interface number, or the address does not need one.
  case badScope

  public var description: String {
    switch self {
    case .notAnAddress: "not an IP address: write it like 192.0.2.1:7447 or [2001:db8::1]:7447"
    case .missingPort: "the port is missing: write it like 192.0.2.1:7447 or [2001:db8::1]:7447"
    case .badPort: "the port must be a number from 0 to 65535"
    case .badScope: "an interface number (%2) belongs to a link-local IPv6 address only, like [fe80::1%2]:7447"
    }
  }
}

extension NetworkAddress: CustomStringConvertible {
  /// `127.0.0.2:7447` or `[2001:db8::1]:7447`, in the one canonical form of RFC 5952.
  public var description: String { isIPv4 ? "\(host):\(port)" : "[\(host)]:\(port)" }

  /// The address without the port and without brackets.
  package var host: String {
    if isIPv4 {
      return stride(from: 24, through: 0, by: -8).map { String(UInt8(truncatingIfNeeded: ip >> $0)) }
        .joined(separator: ".")
    }
    let groups = (0..<8).map { UInt16(truncatingIfNeeded: ip >> (112 - 16 * $0)) }
    let zeros = Self.longestRunOfZeros(groups)
    func text(_ range: Range<Int>) -> String {
      groups[range].map { String($0, radix: 16) }.joined(separator: ":")
    }
    let digits = zeros.isEmpty ? text(0..<8) : "\(text(0..<zeros.lowerBound))::\(text(zeros.upperBound..<8))"
    return scope == 0 ? digits : "\(digits)%\(scope)"
  }

  /// RFC 5952 §4.2: the longest run of two or more, the first of equals; empty when there is none.
  private static func longestRunOfZeros(_ groups: [UInt16]) -> Range<Int> {
    var best = 0..<0
    var start = 0
    for i in 0...8 where i == 8 || groups[i] != 0 {
      if i - start >= 2 && i - start > best.count { best = start..<i }
      start = i + 1
    }
    return best
  }

  /// Reads a numeric address: `192.0.2.1:7447`, `[2001:db8::1]:7447`, `[fe80::1%2]:7447`.
  ///
  /// Without a port `defaultPort` is taken, and an IPv6 address may then do without its brackets. Names are not looked
  /// up, and the reader is strict: no spaces, no signs, no leading zeros in decimal numbers (some readers take those
  /// for octal, and two readings of one address are a way around an allow list).
  public init(_ text: String, defaultPort: UInt16? = nil) throws(NetworkAddressError) {
    var reader = AddressReader(text)
    self = try reader.read(defaultPort: defaultPort)
  }
}
