import Glibc

/// This machine's addresses, as others may type them.
enum Addresses {
  /// The first that is not loopback's, IPv4 before IPv6; nil where there is none.
  static var first: String? {
    var list: UnsafeMutablePointer<ifaddrs>?
    guard getifaddrs(&list) == 0 else { return nil }
    defer { freeifaddrs(list) }
    var (four, six): (String?, String?) = (nil, nil)
    var next = list
    while let entry = next {
      defer { next = entry.pointee.ifa_next }
      let flags = entry.pointee.ifa_flags
      guard let address = entry.pointee.ifa_addr, flags & UInt32(IFF_LOOPBACK) == 0,
        flags & UInt32(IFF_UP) != 0
      else { continue }
      switch CInt(address.pointee.sa_family) {
      case AF_INET: four = four ?? text(address, MemoryLayout<sockaddr_in>.size)
      case AF_INET6:
        let found = text(address, MemoryLayout<sockaddr_in6>.size)
        if let found, !found.contains("%") { six = six ?? "[\(found)]" }
      default: break
      }
    }
    return four ?? six
  }

  private static func text(_ address: UnsafeMutablePointer<sockaddr>, _ size: Int) -> String? {
    var name = [CChar](repeating: 0, count: Int(NI_MAXHOST))
    guard getnameinfo(address, socklen_t(size), &name, socklen_t(name.count), nil, 0, NI_NUMERICHOST) == 0 else {
      return nil
    }
    return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
