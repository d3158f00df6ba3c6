internal import Glibc
internal import RoamkeyEngine
internal import RoamkeySockets
internal import RoamkeyWire

/// A socket for questions and beacons of one family. Nothing that it sends leaves the link: its hop limit is 1.
///
/// One of each family, and not one for both: a group is joined, and a broadcast sent, in the family's own way.
final class DiscoverySocket {
  /// A datagram of discovery has at most 512 bytes; one more shows that it is longer.
  static let bufferSize = SeekDatagram.size + 1

  let descriptor: CInt
  let family: SocketFamily

  /// - Parameter address: with port 0 the system chooses one. Any other may be shared with every program that asks for
  ///   that: each gets all that is sent to a group or to everybody.
  init(_ family: SocketFamily, bind address: NetworkAddress) throws(SystemError) {
    descriptor = socket(family.domain, ROAMKEY_SOCK_DGRAM, 0)
    self.family = family
    guard descriptor >= 0 else { throw SystemError(number: errno) }
    let isIPv6 = family == .ipv6
    let level = CInt(isIPv6 ? IPPROTO_IPV6 : IPPROTO_IP)
    if address.port != 0 { try set(SOL_SOCKET, SO_REUSEADDR, 1) }
    // Where it came from decides whether it is answered.
    try set(level, isIPv6 ? ROAMKEY_IPV6_RECVPKTINFO : ROAMKEY_IP_PKTINFO, 1)
    try set(level, isIPv6 ? ROAMKEY_IPV6_UNICAST_HOPS : ROAMKEY_IP_TTL, 1)
    try set(level, isIPv6 ? ROAMKEY_IPV6_MULTICAST_HOPS : ROAMKEY_IP_MULTICAST_TTL, 1)
    if isIPv6 { try set(level, ROAMKEY_IPV6_V6ONLY, 1) } else { try set(SOL_SOCKET, SO_BROADCAST, 1) }
    var name = SocketName()
    guard address.write(to: &name, family: family) else { throw SystemError(number: EINVAL) }
    let failed = withUnsafeMutablePointer(to: &name) { name in
      name.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.bind(descriptor, $0, family.nameSize) != 0 }
    }
    if failed { throw SystemError(number: errno) }
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
  }

  private func set(_ level: CInt, _ option: CInt, _ value: CInt) throws(SystemError) {
    var value = value
    guard setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<CInt>.size)) == 0 else {
      throw SystemError(number: errno)
    }
  }

  /// Hears the group on an interface. Where the system does not allow it (an interface without groups, more than 20 of
  /// them) there is the broadcast.
  func join(_ interface: UInt32) {
    switch family {
    case .ipv4: _ = roamkey_join4(descriptor, LocalLinks.group4.ipv4, interface)
    case .ipv6:
      var group = in6_addr(ip: LocalLinks.group6.ip)
      _ = roamkey_join6(descriptor, &group, interface)
    }
  }

  /// Sends through one interface; a failure is a lost datagram.
  /// - Parameter source: the address that it is to leave from; nil leaves it to the system.
  func send(_ bytes: [UInt8], to address: NetworkAddress, from source: NetworkAddress?, by interface: UInt32) {
    var name = SocketName()
    var address = address
    if family == .ipv6 { address.scope = interface }
    guard address.isIPv4 == (family == .ipv4), address.write(to: &name, family: family) else { return }
    var control = InlineArray<12, UInt64>(repeating: 0)
    withUnsafeMutableBytes(of: &control) { control in
      let used: Int
      switch family {
      case .ipv4: used = roamkey_put_source4(control.baseAddress, source?.ipv4 ?? in_addr(), interface)
      case .ipv6:
        var source = in6_addr(ip: source?.ip ?? 0)
        used = roamkey_put_source6(control.baseAddress, &source, interface)
      }
      bytes.withUnsafeBytes { bytes in
        withUnsafeMutablePointer(to: &name) { name in
          var vector = iovec(iov_base: UnsafeMutableRawPointer(mutating: bytes.baseAddress), iov_len: bytes.count)
          withUnsafeMutablePointer(to: &vector) { vector in
            var message = msghdr()
            message.msg_name = UnsafeMutableRawPointer(name)
            message.msg_namelen = family.nameSize
            message.msg_iov = vector
            message.msg_iovlen = 1
            message.msg_control = control.baseAddress
            message.msg_controllen = used
            _ = sendmsg(descriptor, &message, 0)
          }
        }
      }
    }
  }

  /// Takes the next datagram off; nil when there is none.
  /// - Returns: how many bytes it has, and how it came.
  func receive(into buffer: UnsafeMutableRawBufferPointer) -> (count: Int, arrival: Arrival)? {
    var name = SocketName()
    var control = InlineArray<12, UInt64>(repeating: 0)
    var info = roamkey_in6_pktinfo()
    let count = withUnsafeMutableBytes(of: &control) { control in
      withUnsafeMutablePointer(to: &name) { name in
        var vector = iovec(iov_base: buffer.baseAddress, iov_len: buffer.count)
        return withUnsafeMutablePointer(to: &vector) { vector in
          var message = msghdr()
          message.msg_name = UnsafeMutableRawPointer(name)
          message.msg_namelen = socklen_t(MemoryLayout<SocketName>.size)
          message.msg_iov = vector
          message.msg_iovlen = 1
          message.msg_control = control.baseAddress
          message.msg_controllen = control.count
          let count = recvmsg(descriptor, &message, 0)
          // Without knowing where it came to there is nothing to judge it by.
          return count >= 0 && roamkey_find_destination(&message, &info) == 0 ? 0 : count
        }
      }
    }
    guard count >= 0 else { return nil }
    let source = NetworkAddress(name: &name) ?? .any(port: 0)
    let destination = NetworkAddress(ip: info.ipi6_addr.ip, port: 0)
    return (count, Arrival(source: source, destination: destination, interface: info.ipi6_ifindex))
  }
}
