internal import Glibc
internal import RoamkeyEngine
internal import RoamkeySockets
internal import RoamkeyWire

/// The preallocated memory that one `recvmmsg` call fills.
///
/// Receiving runs of datagrams (UDP_GRO) would make the slots 64 KiB and cut each into its segments in `deliver`.
struct ReceiveRing: ~Copyable {
  /// Datagrams a call. More gained nothing measurable; fewer cost calls.
  static let capacity = 64
  /// Ours are at most 1400 bytes; what does not fit in a slot is not ours and is dropped.
  static let slotSize = 2048

  private let slots = UnsafeMutableRawPointer.allocate(byteCount: capacity * slotSize, alignment: 64)
  private let controls = UnsafeMutableRawPointer.allocate(
    byteCount: capacity * Int(ROAMKEY_CONTROL_SIZE), alignment: 16)
  private let names = UnsafeMutablePointer<SocketName>.allocate(capacity: capacity)
  private let vectors = UnsafeMutablePointer<iovec>.allocate(capacity: capacity)
  private let headers = UnsafeMutablePointer<roamkey_mmsghdr>.allocate(capacity: capacity)
  /// How many headers the last call wrote to: only those need to be reset for the next.
  private var used = capacity
  /// Whether the headers are set up for a socket that tells the local address.
  private var hasControls = false

  init() {
    names.initialize(repeating: SocketName(), count: Self.capacity)
    for i in 0..<Self.capacity {
      (vectors + i).initialize(to: iovec(iov_base: slots + i * Self.slotSize, iov_len: Self.slotSize))
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

  /// Takes what one call gives and hands it to `handler`.
  /// - Returns: whether there may be more: the call filled every slot.
  mutating func receive<Handler: DatagramHandler>(
    from socket: UDPSocket, to handler: Handler, now: Instant, statistics: inout SocketStatistics
  ) -> Bool {
    reset(for: socket)
    var count: CInt
    repeat {
      count = roamkey_recvmmsg(socket.descriptor, headers, UInt32(Self.capacity), ROAMKEY_MSG_DONTWAIT, nil)
    } while count < 0 && errno == EINTR
    guard count >= 0 else {
      used = 0
      // An error that the network reported belongs to a datagram sent long ago: the socket is as good as before.
      if errno != EAGAIN { statistics.receiveFailures.count(errno) }
      return false
    }
    used = Int(count)
    for i in 0..<used { deliver(i, of: socket, to: handler, now: now, statistics: &statistics) }
    return used == Self.capacity
  }

  private mutating func reset(for socket: UDPSocket) {
    // Another kind of socket than the last: no header is as it must be.
    if socket.selectsSource != hasControls { used = Self.capacity }
    hasControls = socket.selectsSource
    for i in 0..<used {
      headers[i].msg_hdr.msg_name = UnsafeMutableRawPointer(names + i)
      headers[i].msg_hdr.msg_namelen = socklen_t(MemoryLayout<SocketName>.size)
      headers[i].msg_hdr.msg_iov = vectors + i
      headers[i].msg_hdr.msg_iovlen = 1
      headers[i].msg_hdr.msg_control = socket.selectsSource ? controls + i * Int(ROAMKEY_CONTROL_SIZE) : nil
      headers[i].msg_hdr.msg_controllen = socket.selectsSource ? Int(ROAMKEY_CONTROL_SIZE) : 0
    }
  }

  private func deliver<Handler: DatagramHandler>(
    _ i: Int, of socket: UDPSocket, to handler: Handler, now: Instant, statistics: inout SocketStatistics
  ) {
    guard headers[i].msg_hdr.msg_flags & ROAMKEY_MSG_TRUNC == 0 else {
      statistics.truncated += 1
      return
    }
    guard let remote = NetworkAddress(name: names + i) else { return }
    let size = min(Int(headers[i].msg_len), Self.slotSize)
    statistics.datagramsReceived += 1
    statistics.bytesReceived += UInt64(size)
    let path = NetworkPath(local: destination(i, of: socket), remote: remote)
    let bytes = UnsafeMutableRawBufferPointer(start: slots + i * Self.slotSize, count: size)
    var datagram = bytes.mutableBytes
    handler.receive(&datagram, path: path, now: now)
  }

  /// The address of this machine that the datagram was sent to.
  private func destination(_ i: Int, of socket: UDPSocket) -> NetworkAddress {
    var local = socket.localAddress
    guard socket.selectsSource else { return local }
    var found = roamkey_in6_pktinfo()
    guard roamkey_find_destination(&headers[i].msg_hdr, &found) != 0 else { return local }
    local.ip = found.ipi6_addr.ip
    local.scope = local.isLinkLocal ? found.ipi6_ifindex : 0
    return local
  }
}
