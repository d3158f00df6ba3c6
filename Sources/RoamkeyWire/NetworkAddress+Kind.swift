extension NetworkAddress {
  /// The four bytes of an IPv4 address as one number, nil for IPv6.
  private var v4: UInt32? { isIPv4 ? UInt32(truncatingIfNeeded: ip) : nil }

  /// Whether it never leaves this machine: 127.0.0.0/8 or `::1`.
  package var isLoopback: Bool { v4.map { $0 >> 24 == 127 } ?? (ip == 1) }

  /// Whether it is a group's: 224.0.0.0/4 or ff00::/8.
  package var isMulticast: Bool { v4.map { $0 >> 28 == 0xe } ?? (ip >> 120 == 0xff) }

  /// Whether it is everybody's on a link: 255.255.255.255.
  package var isBroadcast: Bool { v4 == .max }

  /// Whether an IPv6 address means something on one interface only: fe80::/10, or a group of that reach (ff02::/16,
  /// ff01::/16). Only such an address has a scope.
  package var isLinkLocal: Bool {
    !isIPv4 && (ip >> 118 == 0xfe80 >> 6 || ip >> 112 == 0xff01 || ip >> 112 == 0xff02)
  }

  /// Whether a machine gave it to itself, for one link: fe80::/10 or 169.254.0.0/16.
  package var isSelfAssigned: Bool { v4.map { $0 >> 16 == 0xa9fe } ?? isLinkLocal }

  /// Whether it belongs to a private network: RFC 1918, IPv6 unique local (fc00::/7), or link-local of either family
  /// (169.254.0.0/16, fe80::/10).
  package var isPrivate: Bool {
    guard let v4 else { return ip >> 121 == 0xfc >> 1 || ip >> 118 == 0xfe80 >> 6 }
    return v4 >> 24 == 10 || v4 >> 20 == 0xac1 || v4 >> 16 == 0xc0a8 || v4 >> 16 == 0xa9fe
  }

  /// What a limit per sender counts by: a whole IPv4 address, but the /64 of an IPv6 one, since who has one such
  /// address has 2^64 of them.
  package var prefixKey: UInt128 { isIPv4 ? ip : ip & ~UInt128(UInt64.max) }
}
