internal import Glibc
internal import RoamkeySockets
internal import RoamkeyWire

/// One unconnected, non-blocking UDP socket, for IPv4 and IPv6 alike. It closes when its last holder lets go.
///
/// Unconnected, because a connected socket keeps its first source address and falls silent when the network changes
/// under it; an unconnected one finds the new route by itself. It is immutable, so it may be made on one thread and
/// used on another; the rings that carry its datagrams belong to the loop.
final class UDPSocket: Sendable {
  /// What is asked of the system for each of the two buffers. It takes less where its limit is lower
  /// (`net.core.rmem_max`); 4 MiB hold about 20 ms of a saturated gigabit link.
  static let bufferSize: CInt = 4 << 20

  let descriptor: CInt
  let family: SocketFamily
  /// The address it is bound to, with the port that the system chose.
  let localAddress: NetworkAddress
  /// Whether datagrams carry the local address both ways. Only a socket bound to every address needs to be told which;
  /// on any other a source address can only be right, or one of a network that was left.
  let selectsSource: Bool
  /// Whether the system takes runs of datagrams, to cut them up by itself (UDP_SEGMENT, Linux 4.18). It is asked,
  /// because one that only ignores what it does not know would send a run as one large datagram.
  let sendsRuns: Bool

  /// Opens and binds. Where the machine has no IPv6 at all it takes IPv4 instead.
  /// - Parameters:
  ///   - joinsRuns: whether runs of datagrams may go to and come from the system in one piece.
  ///   - sharesPort: whether other sockets of the same user may have the same address and port.
  convenience init(
    bind address: NetworkAddress, joinsRuns: Bool = true, sharesPort: Bool = false
  ) throws(UDPError) {
    do {
      try self.init(bind: address, family: .ipv6, joinsRuns: joinsRuns, sharesPort: sharesPort)
    } catch  where error.number == EAFNOSUPPORT {
      try self.init(bind: address, family: .ipv4, joinsRuns: joinsRuns, sharesPort: sharesPort)
    }
  }

  init(
    bind address: NetworkAddress, family: SocketFamily, joinsRuns: Bool = true, sharesPort: Bool = false
  ) throws(UDPError) {
    let descriptor = socket(family.domain, ROAMKEY_SOCK_DGRAM, 0)
    guard descriptor >= 0 else { throw UDPError(number: errno, address: address) }
    self.descriptor = descriptor
    self.family = family
    selectsSource = address.isUnspecified
    sendsRuns = joinsRuns && Self.takesRuns(descriptor)
    // Where the system does not join what it receives, datagrams come one by one, which is as good.
    if joinsRuns { _ = Self.set(descriptor, Self.udp, ROAMKEY_UDP_GRO, 1) }
    do throws(UDPError) {
      if sharesPort, !Self.set(descriptor, SOL_SOCKET, SO_REUSEPORT, 1) {
        throw UDPError(number: errno, address: address)
      }
      try Self.configure(descriptor, family, selectsSource: address.isUnspecified, address)
      localAddress = try Self.bind(descriptor, family, to: address)
    } catch {
      close(descriptor)
      throw error
    }
  }

  deinit { close(descriptor) }

  /// An address and port that no socket has, for several that are to share it.
  ///
  /// Who shares a port asks for it to be shared by whoever asks as well: another server would get half of the players
  /// instead of an error. So a socket that shares nothing has it first, for a moment.
  static func unused(_ address: NetworkAddress) throws(UDPError) -> NetworkAddress {
    let port = try UDPSocket(bind: address, joinsRuns: false).localAddress.port
    var address = address
    address.port = port
    return address
  }

  /// How many datagrams the system dropped because the receive buffer was full.
  var overflowed: UInt64 { memory.map { UInt64($0[Int(ROAMKEY_MEMINFO_DROPS)]) } ?? 0 }

  /// Whether at least half of the send buffer is free, which is when the system calls a socket writable.
  var hasRoom: Bool {
    memory.map { $0[Int(ROAMKEY_MEMINFO_QUEUED)] <= $0[Int(ROAMKEY_MEMINFO_SEND_BUFFER)] / 2 } ?? true
  }

  private var memory: InlineArray<9, UInt32>? {
    var words = InlineArray<9, UInt32>(repeating: 0)
    var size = socklen_t(MemoryLayout<InlineArray<9, UInt32>>.size)
    return getsockopt(descriptor, SOL_SOCKET, ROAMKEY_SO_MEMINFO, &words, &size) == 0 ? words : nil
  }

  /// Lets datagrams in and out through one interface only.
  ///
  /// A source address and an interface beside each datagram are not enough for IPv6: with a source, Linux takes the
  /// interface for a wish among routes of one metric, and sends through the preferred one.
  /// - Returns: whether the system allows it (it did not to everybody before Linux 5.7).
  func restrict(to interface: UInt32) -> Bool {
    var index = CInt(truncatingIfNeeded: interface)
    let size = socklen_t(MemoryLayout<CInt>.size)
    return setsockopt(descriptor, SOL_SOCKET, ROAMKEY_SO_BINDTOIFINDEX, &index, size) == 0
  }

  private static func bind(
    _ descriptor: CInt, _ family: SocketFamily, to address: NetworkAddress
  ) throws(UDPError) -> NetworkAddress {
    var name = SocketName()
    guard address.write(to: &name, family: family) else { throw UDPError(.addressNotAvailable, address) }
    var size = family.nameSize
    let failed = withUnsafeMutablePointer(to: &name) { name in
      name.withMemoryRebound(to: sockaddr.self, capacity: 1) { name in
        Glibc.bind(descriptor, name, size) != 0 || getsockname(descriptor, name, &size) != 0
      }
    }
    guard !failed, let bound = NetworkAddress(name: &name) else { throw UDPError(number: errno, address: address) }
    return bound
  }

  private static func configure(
    _ descriptor: CInt, _ family: SocketFamily, selectsSource: Bool, _ address: NetworkAddress
  ) throws(UDPError) {
    func set(_ level: CInt, _ option: CInt, _ value: CInt) -> Bool { Self.set(descriptor, level, option, value) }
    // Without these two a server would not hear IPv4, or answer from an address nobody asked: they must not fail.
    switch family {
    case .ipv6:
      guard set(v6, ROAMKEY_IPV6_V6ONLY, 0), !selectsSource || set(v6, ROAMKEY_IPV6_RECVPKTINFO, 1) else {
        throw UDPError(number: errno, address: address)
      }
      _ = set(v6, ROAMKEY_IPV6_MTU_DISCOVER, ROAMKEY_PMTUDISC_PROBE)
      _ = set(v6, ROAMKEY_IPV6_DONTFRAG, 1)
    case .ipv4:
      guard !selectsSource || set(v4, ROAMKEY_IP_PKTINFO, 1) else {
        throw UDPError(number: errno, address: address)
      }
    }
    // Each of the rest is an improvement: a sandbox that forbids it costs speed or path MTU, not the game.
    // IPv4 packets of an IPv6 socket take their don't-fragment bit from this option as well.
    _ = set(v4, ROAMKEY_IP_MTU_DISCOVER, ROAMKEY_PMTUDISC_PROBE)
    for (forced, plain) in [(ROAMKEY_SO_RCVBUFFORCE, SO_RCVBUF), (ROAMKEY_SO_SNDBUFFORCE, SO_SNDBUF)] {
      // Forcing goes beyond the system's limit and needs the privilege to.
      if !set(SOL_SOCKET, forced, bufferSize) { _ = set(SOL_SOCKET, plain, bufferSize) }
    }
  }

  private static func set(_ descriptor: CInt, _ level: CInt, _ option: CInt, _ value: CInt) -> Bool {
    var value = value
    return setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<CInt>.size)) == 0
  }

  private static func takesRuns(_ descriptor: CInt) -> Bool {
    var value: CInt = 0
    var size = socklen_t(MemoryLayout<CInt>.size)
    return getsockopt(descriptor, udp, ROAMKEY_UDP_SEGMENT, &value, &size) == 0
  }

  private static let udp = CInt(IPPROTO_UDP)
  private static let v6 = CInt(IPPROTO_IPV6)
  private static let v4 = CInt(IPPROTO_IP)
}
