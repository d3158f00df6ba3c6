internal import Glibc
internal import RoamkeyWire

/// The family of the one socket: IPv6 carries both, IPv4 is for machines that have no IPv6 at all.
enum SocketFamily: Sendable {
  case ipv6
  case ipv4

  var domain: CInt { self == .ipv6 ? AF_INET6 : AF_INET }
  var nameSize: socklen_t {
    socklen_t(self == .ipv6 ? MemoryLayout<sockaddr_in6>.size : MemoryLayout<sockaddr_in>.size)
  }
}

/// One slot for a socket address of either family: sockaddr_in6 is the larger.
typealias SocketName = sockaddr_in6

extension NetworkAddress {
  /// From what the system wrote into `name`; nil for a family that is not IP.
  init?(name: UnsafePointer<SocketName>) {
    switch CInt(name.pointee.sin6_family) {
    case AF_INET6:
      let scope = name.pointee.sin6_scope_id
      self.init(ip: name.pointee.sin6_addr.ip, port: UInt16(bigEndian: name.pointee.sin6_port), scope: scope)
    case AF_INET:
      let v4 = UnsafeRawPointer(name).load(as: sockaddr_in.self)
      let ip = 0xffff << 32 | UInt128(UInt32(bigEndian: v4.sin_addr.s_addr))
      self.init(ip: ip, port: UInt16(bigEndian: v4.sin_port))
    default: return nil
    }
  }

  /// Writes it as a socket address of `family`; false when it cannot be one (IPv6 on an IPv4 socket).
  func write(to name: UnsafeMutablePointer<SocketName>, family: SocketFamily) -> Bool {
    switch family {
    case .ipv6:
      var v6 = sockaddr_in6()
      v6.sin6_family = sa_family_t(AF_INET6)
      v6.sin6_port = port.bigEndian
      v6.sin6_addr = in6_addr(ip: ip)
      v6.sin6_scope_id = scope
      name.pointee = v6
      return true
    case .ipv4:
      guard isIPv4 || ip == 0 else { return false }
      var v4 = sockaddr_in()
      v4.sin_family = sa_family_t(AF_INET)
      v4.sin_port = port.bigEndian
      v4.sin_addr = ipv4
      UnsafeMutableRawPointer(name).storeBytes(of: v4, as: sockaddr_in.self)
      return true
    }
  }

  /// The last four bytes, as the system keeps an IPv4 address.
  var ipv4: in_addr { in_addr(s_addr: UInt32(truncatingIfNeeded: ip).bigEndian) }
}

extension in6_addr {
  init(ip: UInt128) {
    self.init()
    withUnsafeMutableBytes(of: &self) { $0.storeBytes(of: ip.bigEndian, as: UInt128.self) }
  }

  var ip: UInt128 {
    withUnsafeBytes(of: self) { UInt128(bigEndian: $0.loadUnaligned(as: UInt128.self)) }
  }
}
