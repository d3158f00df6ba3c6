internal import Glibc
internal import RoamkeyEngine
internal import RoamkeySockets
internal import RoamkeyWire

/// The preallocated memory that one `recvmmsg` call fills, with datagrams and with runs of them (UDP_GRO).
///
/// A call may bring 2,000 datagrams. They are handed over some at a time, so that the loop gets to its other work in
/// between; no call is made before the last of them.
struct ReceiveRing: ~Copyable {
  /// Datagrams and runs a call. 64 gained nothing measurable; fewer cost calls.
  static let capacity = 32
  /// Room for the largest run there can be. All slots are 2 MiB; what was never filled is no memory yet.
  static let slotSize = 65_536
  /// Ours are at most 1400 bytes; what is larger than this is not ours and is dropped.
  static let mostBytes = 2048
  /// Datagrams or runs that are worth looking at before they are handed over.
  private static let fewestAhead = 4
  /// From slot to slot: at a power of two all slots would meet in the same few lines of the processor's cache.
  private static let stride = slotSize + 1600

  private let slots = UnsafeMutableRawPointer.allocate(byteCount: capacity * stride, alignment: 64)
  private let controls = UnsafeMutableRawPointer.allocate(
    byteCount: capacity * Int(ROAMKEY_CONTROL_SIZE), alignment: 16)
  private let names = UnsafeMutablePointer<SocketName>.allocate(capacity: capacity)
  private let vectors = UnsafeMutablePointer<iovec>.allocate(capacity: capacity)
  private let headers = UnsafeMutablePointer<roamkey_mmsghdr>.allocate(capacity: capacity)
  /// How many headers the last call wrote to: only those need to be reset for the next.
  private var used = capacity
  /// Which of them is next to be opened.
  private var next = capacity
  /// What is left of the one before, in which slot, and how it came.
  private var run = ReceivedRun()
  private var slot = 0
  private var path = NetworkPath(local: .any(port: 0), remote: .any(port: 0))
  /// Of the socket that was received from.
  private var localAddress = NetworkAddress.any(port: 0)
  private var tellsDestination = false

  init() {
    names.initialize(repeating: SocketName(), count: Self.capacity)
    for i in 0..<Self.capacity {
      (vectors + i).initialize(to: iovec(iov_base: slots + i * Self.stride, iov_len: Self.slotSize))
      (headers + i).initialize(to: roamkey_mmsghdr())
    }
  }

  deinit {
    headers.deallocate()
    vectors.deallocate()
    names.deallocate()
    controls.deallocate()
    slots.deallocate()
  }

  /// Whether all that was received has been handed over.
  var isEmpty: Bool { run.isEmpty && next == used }

  /// Takes what one call gives. Only an empty ring is filled.
  /// - Returns: whether there may be more: the call filled every slot.
  mutating func receive(from socket: UDPSocket, statistics: inout SocketStatistics) -> Bool {
    precondition(isEmpty, "the receive ring is filled only when all of it was handed over")
    reset()
    localAddress = socket.localAddress
    tellsDestination = socket.selectsSource
    var count: CInt
    repeat {
      count = roamkey_recvmmsg(socket.descriptor, headers, UInt32(Self.capacity), ROAMKEY_MSG_DONTWAIT, nil)
    } while count < 0 && errno == EINTR
    // An error that the network reported belongs to a datagram sent long ago: the socket is as good as before.
    if count < 0 && errno != EAGAIN { statistics.receiveFailures.count(errno) }
    used = max(0, Int(count))
    next = 0
    return used == Self.capacity
  }

  /// Hands what was received to `handler`.
  /// - Parameter limit: the most datagrams; what is left stays for the next time.
  /// - Returns: how many there were.
  mutating func deliver<Handler: DatagramHandler>(
    to handler: Handler, limit: Int, now: Instant, statistics: inout SocketStatistics
  ) -> Int {
    // All that one call brought is foreseen; of a run one is enough, as it comes from one peer.
    if next == 0 {
      handler.expect(used) { i in
        let size = min(Int(headers[i].msg_len), Self.mostBytes)
        return UnsafeRawBufferPointer(start: slots + i * Self.stride, count: size)
      }
    }
    var count = 0
    while count < limit {
      guard let range = run.next() else {
        guard open(&statistics) else { return count }
        continue
      }
      count += 1
      guard range.count <= Self.mostBytes else {
        statistics.truncated += 1
        continue
      }
      statistics.datagramsReceived += 1
      statistics.bytesReceived += UInt64(range.count)
      if run.isJoined { statistics.datagramsReceivedInRuns += 1 }
      let start = slots + (slot * Self.stride + range.lowerBound)
      var datagram = UnsafeMutableRawBufferPointer(start: start, count: range.count).mutableBytes
      handler.receive(&datagram, path: path, now: now)
    }
    return count
  }

  /// Shows `handler`, if it wants to look ahead, what `deliver` will hand over next; nothing is taken out. Too few
  /// datagrams are not worth it, nor is a run from a single peer.
  /// - Returns: whether it has: the handler is told of the batch's end then.
  func lookAhead<Handler: DatagramHandler>(for handler: Handler, limit: Int) -> Bool {
    guard min(used - next, limit) >= Self.fewestAhead, handler.looksAhead else { return false }
    var (run, slot, next, count) = (self.run, self.slot, self.next, 0)
    while count < limit {
      guard let range = run.next() else {
        guard next < used else { break }
        slot = next
        next += 1
        run = headers[slot].msg_hdr.msg_flags & ROAMKEY_MSG_TRUNC == 0 ? receivedRun(slot) : ReceivedRun()
        continue
      }
      count += 1
      guard range.count <= Self.mostBytes else { continue }
      let start = slots + (slot * Self.stride + range.lowerBound)
      handler.lookAhead(at: UnsafeRawBufferPointer(start: start, count: range.count).bytes)
    }
    handler.beginBatch()
    return true
  }

  private func receivedRun(_ i: Int) -> ReceivedRun {
    let size = min(Int(headers[i].msg_len), Self.slotSize)
    return ReceivedRun(bytes: size, segmentSize: Int(roamkey_find_segment_size(&headers[i].msg_hdr)))
  }

  private mutating func reset() {
    for i in 0..<used {
      headers[i].msg_hdr.msg_name = UnsafeMutableRawPointer(names + i)
      headers[i].msg_hdr.msg_namelen = socklen_t(MemoryLayout<SocketName>.size)
      headers[i].msg_hdr.msg_iov = vectors + i
      headers[i].msg_hdr.msg_iovlen = 1
      headers[i].msg_hdr.msg_control = controls + i * Int(ROAMKEY_CONTROL_SIZE)
      headers[i].msg_hdr.msg_controllen = Int(ROAMKEY_CONTROL_SIZE)
    }
  }

  /// Opens what is next; false when nothing is.
  private mutating func open(_ statistics: inout SocketStatistics) -> Bool {
    while next < used {
      let i = next
      next += 1
      guard headers[i].msg_hdr.msg_flags & ROAMKEY_MSG_TRUNC == 0 else {
        statistics.truncated += 1
        continue
      }
      guard let remote = NetworkAddress(name: names + i) else { continue }
      run = receivedRun(i)
      if run.isJoined { statistics.runsReceived += 1 }
      slot = i
      path = NetworkPath(local: destination(i), remote: remote)
      return true
    }
    return false
  }

  /// The address of this machine that the datagram was sent to.
  private func destination(_ i: Int) -> NetworkAddress {
    var local = localAddress
    guard tellsDestination else { return local }
    var found = roamkey_in6_pktinfo()
    guard roamkey_find_destination(&headers[i].msg_hdr, &found) != 0 else { return local }
    local.ip = found.ipi6_addr.ip
    local.scope = local.isLinkLocal ? found.ipi6_ifindex : 0
    return local
  }
}
