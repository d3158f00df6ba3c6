// The way of a batch out:
//
//  1. `fill`: the handler fills the batch in one call; each datagram is addressed
//  2. `flush`: what leaves from one socket is joined to messages, runs of equal-sized datagrams to one peer as one
//     message each (`DatagramRun`); all of them leave with one `sendmmsg` call
//  3. a run that the system does not take leaves datagram by datagram, at once
internal import Glibc
internal import RoamkeyEngine
internal import RoamkeySockets
internal import RoamkeyWire

/// The preallocated memory of the datagrams that leave with one `sendmmsg` call.
///
/// A failed send loses that datagram and nothing else: it is counted, and the next one goes out. A full send buffer
/// loses none: they stay in the ring, which bounds how much waits. Their order is kept, so those of other sockets wait
/// behind them, until the loop's patience ends (`giveUp`).
struct SendRing: ~Copyable {
  private static let capacity = DatagramBatch.capacity

  private var batch = DatagramBatch()
  private let controls = UnsafeMutableRawPointer.allocate(
    byteCount: capacity * Int(ROAMKEY_CONTROL_SIZE), alignment: 16)
  private let names = UnsafeMutablePointer<SocketName>.allocate(capacity: capacity)
  private let vectors = UnsafeMutablePointer<iovec>.allocate(capacity: capacity)
  private let senders = UnsafeMutablePointer<Sender>.allocate(capacity: capacity)
  /// The messages of one call, and how many datagrams each of them is.
  private let headers = UnsafeMutablePointer<roamkey_mmsghdr>.allocate(capacity: capacity)
  private let lengths = UnsafeMutablePointer<Int>.allocate(capacity: capacity)
  /// Datagrams from `next` on wait to be sent.
  private var next = 0
  /// Slots of the sockets that had no room for longer than the loop waits: until half of their buffers is free, what
  /// finds no room is lost, so that others go on. Room for one datagram now and then would have them all wait for it.
  private var stuck: UInt32 = 0
  /// Slots of the sockets that take no runs, though the system knows them: a device on the way does not.
  ///
  /// By socket, not by path: nearly always it is the machine's only device, and a table of peers would be paid for by
  /// everybody. When the sockets change, with the networks, it is tried anew.
  private var refusing: UInt32 = 0
  /// A run that was refused just now, if its first datagram has not been tried alone yet.
  private var doubt: Int?

  /// Which socket a datagram leaves from, and how.
  private struct Sender: Equatable {
    var slot: Int
    /// Whether it had better leave from another address than not at all.
    var mayChangeSource: Bool
    /// The bytes of its control messages: its source, if it has one.
    var controlSize = 0
    /// It was in a run that the system did not take.
    var isAlone = false
    /// It leaves from nowhere, and is counted already.
    var isLost = false
  }

  init() {
    senders.initialize(repeating: Sender(slot: 0, mayChangeSource: true), count: Self.capacity)
    names.initialize(repeating: SocketName(), count: Self.capacity)
    vectors.initialize(repeating: iovec(), count: Self.capacity)
    headers.initialize(repeating: roamkey_mmsghdr(), count: Self.capacity)
    lengths.initialize(repeating: 0, count: Self.capacity)
  }

  deinit {
    lengths.deallocate()
    headers.deallocate()
    senders.deallocate()
    vectors.deallocate()
    names.deallocate()
    controls.deallocate()
  }

  var isEmpty: Bool { next == batch.count }

  /// Asks `handler` for datagrams. Only an empty ring is filled.
  /// - Returns: whether the ring is full, so that there may be more.
  mutating func fill<Handler: DatagramHandler>(
    from handler: Handler, for sockets: borrowing SocketSet, now: Instant, statistics: inout SocketStatistics
  ) -> Bool {
    precondition(isEmpty, "the send ring is filled only when all of it has left")
    next = 0
    doubt = nil
    batch.removeAll()
    handler.fill(&batch, now: now)
    for i in 0..<batch.count {
      let bytes = batch.bytes(i)
      vectors[i] = iovec(iov_base: bytes.baseAddress, iov_len: bytes.count)
      // An IPv6 destination on a machine without IPv6: the network is unreachable, as it would be to the system.
      if !address(i, for: sockets) { lose(i, ENETUNREACH, &statistics) }
    }
    return batch.isFull
  }

  /// Loses what waits: it was meant for another way, and would be known there by its connection ids.
  mutating func discard(_ statistics: inout SocketStatistics) {
    for i in next..<batch.count where !senders[i].isLost { lose(i, ENETUNREACH, &statistics) }
  }

  /// Addresses what waits anew, when the sockets are others.
  mutating func readdress(for sockets: borrowing SocketSet, statistics: inout SocketStatistics) {
    stuck = 0
    refusing = 0
    doubt = nil
    for i in next..<batch.count where !senders[i].isLost && !address(i, for: sockets) {
      lose(i, ENETUNREACH, &statistics)
    }
  }

  /// Waits no longer for room in the send buffer of the socket in `slot`: as long as there is none, what it was to send
  /// is lost.
  mutating func giveUp(_ slot: Int) {
    stuck |= 1 << UInt32(slot)
  }

  // MARK: Sending

  /// Sends what waits.
  /// - Returns: nil when all of it left (or was lost), else the slot of the socket whose send buffer is full.
  mutating func flush(to sockets: borrowing SocketSet, statistics: inout SocketStatistics) -> Int? {
    while next < batch.count {
      guard !senders[next].isLost else {
        next += 1
        continue
      }
      let slot = senders[next].slot
      guard let socket = sockets[slot] else {
        lose(next, EBADF, &statistics)
        continue
      }
      let messages = prepare(for: socket)
      let count = roamkey_sendmmsg(socket.descriptor, headers, UInt32(messages), ROAMKEY_MSG_DONTWAIT)
      if count > 0 {
        noteSent(Int(count), from: socket, &statistics)
        continue
      }
      // sendmmsg stops at the first message that fails and reports it only when asked to begin with it.
      switch errno {
      case EINTR: break
      case EAGAIN where stuck & 1 << UInt32(slot) != 0:
        for i in next..<next + lengths[0] { lose(i, ENOBUFS, &statistics) }
      case EAGAIN:
        statistics.sendWaits += 1
        return slot
      case let number where lengths[0] > 1: separate(number)
      case let number:
        doubt = nil
        if dropSource(next, number) { statistics.sourcesDropped += 1 } else { lose(next, number, &statistics) }
      }
    }
    return nil
  }

  /// Joins what is to leave from `socket` next to messages.
  /// - Returns: how many.
  private func prepare(for socket: UDPSocket) -> Int {
    let slot = senders[next].slot
    let joins = socket.sendsRuns && refusing & 1 << UInt32(slot) == 0
    var count = 0
    var first = next
    while first < batch.count, senders[first].slot == slot, !senders[first].isLost {
      let length = joins ? lengthOfRun(at: first) : 1
      write(first, length, for: socket, to: headers + count)
      lengths[count] = length
      count += 1
      first += length
    }
    return count
  }

  private func lengthOfRun(at first: Int) -> Int {
    var run = DatagramRun(first: vectors[first].iov_len)
    guard !senders[first].isAlone else { return 1 }
    while first + run.count < batch.count {
      let i = first + run.count
      guard senders[i] == senders[first], batch.path(i) == batch.path(first), run.join(vectors[i].iov_len) else {
        break
      }
    }
    return run.count
  }

  private func write(
    _ first: Int, _ length: Int, for socket: UDPSocket, to header: UnsafeMutablePointer<roamkey_mmsghdr>
  ) {
    let control = controls + first * Int(ROAMKEY_CONTROL_SIZE)
    var size = senders[first].controlSize
    if length > 1 {
      size += roamkey_put_segment_size(control + size, UInt16(truncatingIfNeeded: vectors[first].iov_len))
    }
    header.pointee.msg_hdr.msg_name = UnsafeMutableRawPointer(names + first)
    header.pointee.msg_hdr.msg_namelen = socket.family.nameSize
    header.pointee.msg_hdr.msg_iov = vectors + first
    header.pointee.msg_hdr.msg_iovlen = length
    header.pointee.msg_hdr.msg_control = size > 0 ? control : nil
    header.pointee.msg_hdr.msg_controllen = size
  }

  private mutating func noteSent(_ messages: Int, from socket: UDPSocket, _ statistics: inout SocketStatistics) {
    let bit = UInt32(1) << UInt32(senders[next].slot)
    if doubt == next {
      // Alone it left: nothing is wrong with where it went.
      refusing |= bit
      statistics.runsRefused += 1
    }
    doubt = nil
    for length in UnsafeBufferPointer(start: lengths, count: messages) {
      for i in next..<next + length { statistics.bytesSent += UInt64(vectors[i].iov_len) }
      statistics.datagramsSent += UInt64(length)
      if length > 1 {
        statistics.runsSent += 1
        statistics.datagramsSentInRuns += UInt64(length)
      }
      next += length
    }
    if stuck & bit != 0 && socket.hasRoom { stuck &= ~bit }
  }

  // MARK: What fails

  private func lose(_ i: Int, _ number: CInt, _ statistics: inout SocketStatistics) {
    statistics.sendFailures.count(number)
    senders[i].isLost = true
  }

  /// The run that is next was not taken, none of it: its datagrams are tried one by one. Whether the run was the
  /// reason, or where it went, the first of them will tell.
  private mutating func separate(_ number: CInt) {
    for i in next..<next + lengths[0] { senders[i].isAlone = true }
    doubt = DatagramRun.mayBeRefused(with: number) ? next : nil
  }

  /// The source has vanished with its network, or never was one: better from another address than not at all.
  private func dropSource(_ i: Int, _ number: CInt) -> Bool {
    switch number {
    case EINVAL, EADDRNOTAVAIL, ENODEV, ENETUNREACH:
      guard senders[i].mayChangeSource, senders[i].controlSize > 0 else { return false }
      senders[i].controlSize = 0
      return true
    default: return false
    }
  }

  // MARK: Addressing

  private func address(_ i: Int, for sockets: borrowing SocketSet) -> Bool {
    let path = batch.path(i)
    let departure = sockets.departure(from: path.local)
    senders[i] = Sender(slot: departure.slot, mayChangeSource: departure.mayChangeSource)
    guard let socket = sockets[departure.slot], path.remote.write(to: names + i, family: socket.family) else {
      return false
    }
    // What was sent to a group is answered from an address of our own; which, the system knows best.
    let source = departure.source
    guard socket.selectsSource, !source.isUnspecified, !source.isMulticast, source.isIPv4 == path.remote.isIPv4
    else { return true }
    let control = controls + i * Int(ROAMKEY_CONTROL_SIZE)
    switch socket.family {
    case .ipv6:
      var ip = in6_addr(ip: source.ip)
      senders[i].controlSize = roamkey_put_source6(control, &ip, departure.interface)
    case .ipv4: senders[i].controlSize = roamkey_put_source4(control, source.ipv4, departure.interface)
    }
    return true
  }
}
