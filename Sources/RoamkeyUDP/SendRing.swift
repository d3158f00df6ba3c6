internal import Glibc
internal import RoamkeyEngine
internal import RoamkeySockets
internal import RoamkeyWire

/// The preallocated memory of the datagrams that leave with one `sendmmsg` call.
///
/// A failed send loses that datagram and nothing else: it is counted, and the next one goes out. A full send buffer
/// loses none: they stay in the ring, which bounds how much waits. Their order is kept, so those of other sockets wait
/// behind them, until the loop's patience ends (`giveUp`).
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
  private let senders = UnsafeMutablePointer<Sender>.allocate(capacity: capacity)
  /// Datagrams from `next` up to `end` wait to be sent.
  private var next = 0
  private var end = 0
  /// Slots of the sockets that had no room for longer than the loop waits: until half of their buffers is free, what
  /// finds no room is lost, so that others go on. Room for one datagram now and then would have them all wait for it.
  private var stuck: UInt32 = 0

  /// Which socket a datagram leaves from.
  private struct Sender {
    var slot: Int
    /// Whether it had better leave from another address than not at all.
    var mayChangeSource: Bool
    /// It leaves from nowhere, and is counted already.
    var isLost = false
  }

  init() {
    senders.initialize(repeating: Sender(slot: 0, mayChangeSource: true), count: Self.capacity)
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
    senders.deallocate()
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
    from handler: Handler, for sockets: borrowing SocketSet, now: Instant, statistics: inout SocketStatistics
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
      if address(end, for: sockets) { end += 1 } else { statistics.sendFailures.count(ENETUNREACH) }
    }
    return true
  }

  /// Loses what waits: it was meant for another way, and would be known there by its connection ids.
  mutating func discard(_ statistics: inout SocketStatistics) {
    for i in next..<end where !senders[i].isLost { lose(i, ENETUNREACH, &statistics) }
  }

  /// Addresses what waits anew, when the sockets are others.
  mutating func readdress(for sockets: borrowing SocketSet, statistics: inout SocketStatistics) {
    stuck = 0
    for i in next..<end where !senders[i].isLost && !address(i, for: sockets) {
      lose(i, ENETUNREACH, &statistics)
    }
  }

  /// Sends what waits.
  /// - Returns: nil when all of it left (or was lost), else the slot of the socket whose send buffer is full.
  mutating func flush(to sockets: borrowing SocketSet, statistics: inout SocketStatistics) -> Int? {
    while next < end {
      guard !senders[next].isLost else {
        next += 1
        continue
      }
      let slot = senders[next].slot
      guard let socket = sockets[slot] else {
        lose(next, EBADF, &statistics)
        continue
      }
      var behind = next + 1
      while behind < end && senders[behind].slot == slot && !senders[behind].isLost { behind += 1 }
      let count = roamkey_sendmmsg(
        socket.descriptor, headers + next, UInt32(behind - next), ROAMKEY_MSG_DONTWAIT)
      if count > 0 {
        for i in next..<next + Int(count) { statistics.bytesSent += UInt64(vectors[i].iov_len) }
        statistics.datagramsSent += UInt64(count)
        next += Int(count)
        if stuck & 1 << UInt32(slot) != 0 && socket.hasRoom { stuck &= ~(1 << UInt32(slot)) }
        continue
      }
      // sendmmsg stops at the first datagram that fails and reports it only when asked to begin with it.
      switch errno {
      case EINTR: break
      case EAGAIN where stuck & 1 << UInt32(slot) != 0: lose(next, ENOBUFS, &statistics)
      case EAGAIN:
        statistics.sendWaits += 1
        return slot
      case EINVAL, EADDRNOTAVAIL, ENODEV, ENETUNREACH:
        let number = errno
        if dropSource(next) { statistics.sourcesDropped += 1 } else { lose(next, number, &statistics) }
      case let number: lose(next, number, &statistics)
      }
    }
    return nil
  }

  /// Waits no longer for room in the send buffer of the socket in `slot`: as long as there is none, what it was to send
  /// is lost.
  mutating func giveUp(_ slot: Int) {
    stuck |= 1 << UInt32(slot)
  }

  private func lose(_ i: Int, _ number: CInt, _ statistics: inout SocketStatistics) {
    statistics.sendFailures.count(number)
    senders[i].isLost = true
  }

  /// The source has vanished with its network, or never was one: better from another address than not at all.
  private func dropSource(_ i: Int) -> Bool {
    guard senders[i].mayChangeSource, headers[i].msg_hdr.msg_controllen > 0 else { return false }
    headers[i].msg_hdr.msg_control = nil
    headers[i].msg_hdr.msg_controllen = 0
    return true
  }

  private func address(_ i: Int, for sockets: borrowing SocketSet) -> Bool {
    let path = paths[i]
    let departure = sockets.departure(from: path.local)
    guard let socket = sockets[departure.slot] else { return false }
    senders[i] = Sender(slot: departure.slot, mayChangeSource: departure.mayChangeSource)
    headers[i].msg_hdr.msg_control = nil
    headers[i].msg_hdr.msg_controllen = 0
    guard path.remote.write(to: names + i, family: socket.family) else { return false }
    headers[i].msg_hdr.msg_namelen = socket.family.nameSize
    // What was sent to a group is answered from an address of our own; which, the system knows best.
    let source = departure.source
    guard socket.selectsSource, !source.isUnspecified, !source.isMulticast, source.isIPv4 == path.remote.isIPv4
    else { return true }
    let control = controls + i * Int(ROAMKEY_CONTROL_SIZE)
    headers[i].msg_hdr.msg_control = control
    switch socket.family {
    case .ipv6:
      var ip = in6_addr(ip: source.ip)
      headers[i].msg_hdr.msg_controllen = roamkey_put_source6(control, &ip, departure.interface)
    case .ipv4:
      headers[i].msg_hdr.msg_controllen = roamkey_put_source4(control, source.ipv4, departure.interface)
    }
    return true
  }
}
