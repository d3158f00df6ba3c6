internal import Glibc
internal import RoamkeyEngine
internal import RoamkeySockets
internal import RoamkeyWire

/// Asks the system for its interfaces, its addresses and its routes, over a netlink socket of its own. The kernel
/// answers at once, so it is simply waited for.
struct NetworkQueries: ~Copyable {
  /// As much as the kernel puts into one piece of a long answer.
  private static let bufferSize = 32 << 10
  /// Pieces of one answer: enough for ten thousand interfaces, and an end for an answer that has none.
  private static let mostPieces = 1024
  /// How long a single piece may keep the loop waiting, should the kernel ever be silent.
  private static let patience = timeval(tv_sec: 0, tv_usec: 200_000)

  /// Nil after a failure: what is left of an answer must not be taken for that to the next question.
  private var socket: Descriptor?
  private var sequence: UInt32 = 0
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bufferSize, alignment: 16)

  /// - Throws: where the system gives no such socket, as in some sandboxes.
  init() throws(SystemError) {
    socket = try Self.open()
  }

  deinit { buffer.deallocate() }

  /// All interfaces.
  mutating func links() throws(SystemError) -> [Link] {
    var request = NetlinkRequest(ROAMKEY_RTM_GETLINK, flags: ROAMKEY_NLM_F_DUMP, body: ifinfomsg())
    request.add(ROAMKEY_IFLA_EXT_MASK, ROAMKEY_RTEXT_SKIP_STATS)
    var links: [Link] = []
    try confirm(
      exchange(request) { bytes, message in
        guard message.type == ROAMKEY_RTM_NEWLINK, let link = Link(bytes, message.payload) else { return }
        links.append(link)
      })
    return links
  }

  /// All addresses that may be used, whatever their interfaces do.
  mutating func addresses() throws(SystemError) -> [InterfaceAddress] {
    let request = NetlinkRequest(ROAMKEY_RTM_GETADDR, flags: ROAMKEY_NLM_F_DUMP, body: ifaddrmsg())
    var addresses: [InterfaceAddress] = []
    try confirm(
      exchange(request) { bytes, message in
        guard message.type == ROAMKEY_RTM_NEWADDR, let address = InterfaceAddress(bytes, message.payload) else {
          return
        }
        addresses.append(address)
      })
    return addresses
  }

  /// How the system would send to `destination` now; nil: not at all.
  /// - Parameter interface: only through this one.
  mutating func route(to destination: NetworkAddress, through interface: UInt32? = nil) throws(SystemError) -> Route? {
    if let interface, destination.isIPv4 {
      // Told to use an interface, IPv4 takes any destination for a neighbour where it finds no route. Asking for the
      // entry that matched tells the difference; where there is none, that is an error.
      let match = Self.lookUp(destination, through: interface, flags: ROAMKEY_RTM_F_FIB_MATCH)
      guard try exchange(match, { _, _ in }) == 0 else { return nil }
    }
    let scope = destination.isLinkLocal && destination.scope != 0 ? destination.scope : nil
    var route: Route?
    _ = try exchange(Self.lookUp(destination, through: interface ?? scope)) { bytes, message in
      if message.type == ROAMKEY_RTM_NEWROUTE { route = Route(bytes, message.payload) }
    }
    // An answer of another interface would be none to the question.
    return interface == nil || route?.interface == interface ? route : nil
  }

  private static func lookUp(_ destination: NetworkAddress, through interface: UInt32?, flags: UInt32 = 0)
    -> NetlinkRequest
  {
    var body = rtmsg()
    body.rtm_family = UInt8(destination.isIPv4 ? AF_INET : AF_INET6)
    body.rtm_dst_len = destination.isIPv4 ? 32 : 128
    body.rtm_flags = flags
    var request = NetlinkRequest(ROAMKEY_RTM_GETROUTE, flags: ROAMKEY_NLM_F_REQUEST, body: body)
    if destination.isIPv4 {
      request.add(ROAMKEY_RTA_DST, destination.ipv4)
    } else {
      request.add(ROAMKEY_RTA_DST, destination.ip.bigEndian)
    }
    if let interface { request.add(ROAMKEY_RTA_OIF, interface) }
    return request
  }

  // MARK: Questions and answers

  private borrowing func confirm(_ error: CInt) throws(SystemError) {
    guard error == 0 else { throw SystemError(number: error) }
  }

  /// Asks, and hands each message of the answer to `take`.
  /// - Returns: the error by which the kernel answered, 0 for none. That the kernel has no room or was interrupted is
  ///   no answer, and thrown.
  private mutating func exchange(
    _ request: NetlinkRequest, _ take: (RawSpan, NetlinkMessage) -> Void
  ) throws(SystemError) -> CInt {
    if socket == nil { socket = try Self.open() }
    do throws(SystemError) {
      let error = try answer(to: request, take)
      let isNoAnswer = [ENOMEM, ENOBUFS, EINTR, EAGAIN, EBUSY, EPERM].contains(error)
      guard !isNoAnswer else { throw SystemError(number: error) }
      return error
    } catch {
      socket = nil
      throw error
    }
  }

  private mutating func answer(
    to request: NetlinkRequest, _ take: (RawSpan, NetlinkMessage) -> Void
  ) throws(SystemError) -> CInt {
    guard let descriptor = socket?.number else { throw SystemError(number: EBADF) }
    sequence &+= 1
    let question = request.numbered(sequence)
    guard send(descriptor, question, question.count, 0) == question.count else { throw SystemError(number: errno) }
    for _ in 0..<Self.mostPieces {
      let count = roamkey_netlink_receive(descriptor, buffer.baseAddress, buffer.count)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw SystemError(number: errno) }
      guard count <= buffer.count else { throw SystemError(number: EMSGSIZE) }
      let bytes = UnsafeRawBufferPointer(start: buffer.baseAddress, count: count).bytes
      if let error = Self.read(bytes, answering: sequence, take) { return error }
    }
    throw SystemError(number: EOVERFLOW)
  }

  /// Reads one piece of an answer.
  /// - Returns: nil when there is more to come, else the error that ends it, 0 for none.
  static func read(
    _ bytes: RawSpan, answering sequence: UInt32, _ take: (RawSpan, NetlinkMessage) -> Void
  ) -> CInt? {
    var offset = 0
    while let message = NetlinkMessage.next(in: bytes, at: &offset) {
      guard message.sequence == sequence else { continue }
      switch message.type {
      case ROAMKEY_NLMSG_ERROR, ROAMKEY_NLMSG_DONE:
        // Both begin with an error number below zero, or zero.
        let number = bytes.header(of: message.payload, as: CInt.self) ?? 0
        return number == .min ? EINVAL : abs(number)
      default:
        take(bytes, message)
        if message.flags & ROAMKEY_NLM_F_MULTI == 0 { return 0 }
      }
    }
    return nil
  }

  private static func open() throws(SystemError) -> Descriptor {
    let socket = try Descriptor(roamkey_netlink_open(1, 0))
    var patience = patience
    guard
      setsockopt(socket.number, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size)) == 0
    else { throw SystemError(number: errno) }
    return socket
  }
}
