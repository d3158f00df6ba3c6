internal import Glibc
internal import RoamkeyEngine
internal import RoamkeySockets
internal import RoamkeyWire

/// The preallocated memory of the datagrams that leave with one `sendmmsg` call.
///
/// A failed send loses that datagram and nothing else: it is counted, and the next one goes out. A full send buffer
/// loses none: they stay in the ring, which bounds how much waits.
/// Runs of equal-sized datagrams to one peer (UDP_SEGMENT) would be joined in `append`.
struct SendRing: ~Copyable {
  /// Datagrams a call.
  static let capacity = 64
  /// Room for the largest datagram, in whole cache lines.
  static let slotSize = (maximumDatagramSize + 63) / 64 * 64

  private let slots = UnsafeMutableRawPointer.allocate(byteCount: capacity * slotSize, alignment: 64)
  private let controls = UnsafeMutableRawPointer.allocate(
    byteCount: capacity * Int(ROAMKEY_CONTROL_SIZE), alignment: 16)
  private let names = UnsafeMutablePointer<SocketName>.allocate(capacity: capacity)
  private let paths = UnsafeMutablePointer<NetworkPath>.allocate(capacity: capacity)
  private let vectors = UnsafeMutablePointer<iovec>.allocate(capacity: capacity)
  private let headers = UnsafeMutablePointer<roamkey_mmsghdr>.allocate(capacity: capacity)
  /// Datagrams from `next` up to `end` wait to be sent.
  private var next = 0
  private var end = 0

  init() {
    let nowhere = NetworkAddress.any(port: 0)
    paths.initialize(repeating: NetworkPath(local: nowhere, remote: nowhere), count: Self.capacity)
    names.initialize(repeating: SocketName(), count: Self.capacity)
    for i in 0..<Self.capacity {
      (vectors + i).initialize(to: iovec(iov_base: slots + i * Self.slotSize, iov_len: 0))
      (headers + i).initialize(to: roamkey_mmsghdr())
      headers[i].msg_hdr.msg_name = UnsafeMutableRawPointer(names + i)
      headers[i].msg_hdr.msg_iov = vectors + i
      headers[i].msg_hdr.msg_iovlen = 1
    }
  }

  deinit {
    headers.deallocate()
    vectors.deallocate()
    paths.deallocate()
    names.deallocate()
    controls.deallocate()
    slots.deallocate()
  }

  var isEmpty: Bool { next == end }

  /// Asks `handler` for datagrams until it has none or the ring is full. Only an empty ring is filled.
  /// - Returns: whether the ring is full, so that there may be more.
  mutating func fill<Handler: DatagramHandler>(
    from handler: Handler, for socket: UDPSocket, now: Instant, statistics: inout SocketStatistics
  ) -> Bool {
    precondition(isEmpty, "the send ring is filled only when all of it has left")
    next = 0
    end = 0
    while end < Self.capacity {
      let buffer = UnsafeMutableRawBufferPointer(start: slots + end * Self.slotSize, count: maximumDatagramSize)
      var output = OutputRawSpan(buffer: buffer, initializedCount: 0)
      let path = handler.pollTransmit(into: &output, now: now)
      let size = output.finalize(for: buffer)
      guard let path else { return false }
      paths[end] = path
      vectors[end].iov_len = size
      // An IPv6 destination on a machine without IPv6: the network is unreachable, as it would be to the system.
      if address(end, for: socket) { end += 1 } else { statistics.sendFailures.count(ENETUNREACH) }
    }
    return true
  }

  /// Addresses what waits anew, when the socket was replaced.
  mutating func readdress(for socket: UDPSocket) {
    for i in next..<end where !address(i, for: socket) {
      // Port 0 makes the send fail and be counted; moving the others up for such a rarity is not worth it.
      names[i].sin6_port = 0
    }
  }

  /// Sends what waits.
  /// - Returns: whether all of it left (or was lost); false when the send buffer is full.
  mutating func flush(to socket: UDPSocket, statistics: inout SocketStatistics) -> Bool {
    while next < end {
      let count = roamkey_sendmmsg(
        socket.descriptor, headers + next, UInt32(end - next), ROAMKEY_MSG_DONTWAIT)
      if count > 0 {
        for i in next..<next + Int(count) { statistics.bytesSent += UInt64(vectors[i].iov_len) }
        statistics.datagramsSent += UInt64(count)
        next += Int(count)
        continue
      }
      // sendmmsg stops at the first datagram that fails and reports it only when asked to begin with it.
      switch errno {
      case EINTR: break
      case EAGAIN:
        statistics.sendWaits += 1
        return false
      case EINVAL, EADDRNOTAVAIL, ENODEV, ENETUNREACH:
        if dropSource(next) { statistics.sourcesDropped += 1 } else { lose(errno, &statistics) }
      default: lose(errno, &statistics)
      }
    }
    return true
  }

  private mutating func lose(_ number: CInt, _ statistics: inout SocketStatistics) {
    statistics.sendFailures.count(number)
    next += 1
  }

  /// The source has vanished with its network, or never was one: better from another address than not at all.
  private func dropSource(_ i: Int) -> Bool {
    guard headers[i].msg_hdr.msg_controllen > 0 else { return false }
    headers[i].msg_hdr.msg_control = nil
    headers[i].msg_hdr.msg_controllen = 0
    return true
  }

  private func address(_ i: Int, for socket: UDPSocket) -> Bool {
    let path = paths[i]
    headers[i].msg_hdr.msg_control = nil
    headers[i].msg_hdr.msg_controllen = 0
    guard path.remote.write(to: names + i, family: socket.family) else { return false }
    headers[i].msg_hdr.msg_namelen = socket.family.nameSize
    // What was sent to a group is answered from an address of our own; which, the system knows best.
    guard socket.selectsSource, !path.local.isUnspecified, !path.local.isMulticast,
      path.local.isIPv4 == path.remote.isIPv4
    else { return true }
    let control = controls + i * Int(ROAMKEY_CONTROL_SIZE)
    headers[i].msg_hdr.msg_control = control
    switch socket.family {
    case .ipv6:
      var ip = in6_addr(ip: path.local.ip)
      headers[i].msg_hdr.msg_controllen = roamkey_put_source6(control, &ip, path.local.scope)
    case .ipv4:
      headers[i].msg_hdr.msg_controllen = roamkey_put_source4(control, path.local.ipv4)
    }
    return true
  }
}
