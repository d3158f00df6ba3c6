/// Where packets go to or come from: an IP address and a UDP port.
///
/// IPv4 is kept in its IPv4-mapped IPv6 form (RFC 4291 §2.5.5.2), so that one type and one socket serve both.
/// It is never a player's identity: that is ``PlayerID``.
public struct NetworkAddress: Hashable, Sendable {
  /// The 16 bytes of the IPv6 or IPv4-mapped address, as one number.
  package var ip: UInt128
  /// The UDP port.
  public var port: UInt16
  /// The interface of a link-local address (its scope id), else 0.
  package var scope: UInt32

  package init(ip: UInt128, port: UInt16, scope: UInt32 = 0) {
    self.ip = ip
    self.port = port
    self.scope = scope
  }

  /// An IPv4 address of four bytes.
  public init(ipv4 a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8, port: UInt16) {
    let v4 = UInt32(a) << 24 | UInt32(b) << 16 | UInt32(c) << 8 | UInt32(d)
    self.init(ip: Self.mappedPrefix | UInt128(v4), port: port)
  }

  /// Every local address (`::`, which takes IPv4 as well), on a port; 0 lets the system choose one.
  public static func any(port: UInt16) -> NetworkAddress { NetworkAddress(ip: 0, port: port) }

  static let mappedPrefix: UInt128 = 0xffff << 32

  /// Whether it is an IPv4 address.
  public var isIPv4: Bool { ip >> 32 == 0xffff }

  /// Whether it stands for every local address, `::` or `0.0.0.0`.
  package var isUnspecified: Bool { ip == 0 || ip == Self.mappedPrefix }
}
