internal import Glibc
internal import Roamkey
internal import RoamkeyTerminal

/// The network between Ada and the server: a router, on one thread of this process.
///
/// For each address of Ada's it has a socket of its own towards the server, bound to the same IP address, so that the
/// server sees Ada come from where she is. It can lose datagrams, be dead, forget its sockets (as home routers do,
/// which changes Ada's port without her doing), and copy what passes.
final class DemoRelay: Sendable {
  /// What it does besides carrying, and what it has seen.
  struct Control: Sendable {
    /// One datagram in so many is lost; 0 for none.
    var losesOneIn = 0
    var isDead = false
    var isRecording = false
    var forgets = false
    var stops = false
    /// Ada's packets, as they were on the wire.
    var recorded: [[UInt8]] = []
    var lost = 0
    var passed = 0

    /// Whether a datagram gets through.
    mutating func carries() -> Bool {
      passed += 1
      let isLost = isDead || losesOneIn > 0 && passed % losesOneIn == 0
      if isLost { lost += 1 }
      return !isLost
    }

    /// Copies one of Ada's datagrams that got through: one that was lost would be no copy for the server. The handshake
    /// is left out: the first byte of a packet has no high bit.
    mutating func record(_ datagram: ArraySlice<UInt8>) {
      if isRecording, let first = datagram.first, first < 0x80 { recorded.append(Array(datagram)) }
    }
  }

  /// Where Ada finds it.
  let address: NetworkAddress
  private let control: Monitor<Control>

  /// Begins to carry datagrams to `server` and back.
  init(server: NetworkAddress) throws(Failure) {
    let loop = try DemoRelayLoop(server: server)
    address = loop.address
    control = loop.control
    runOnOwnThread { loop.run() }
  }

  deinit { control.withLock { $0.stops = true } }

  func set(_ change: (inout Control) -> Void) { control.withLock { change(&$0) } }

  var state: Control { control.withLock { $0 } }

  /// Returns once so many packets were copied, or the task is cancelled.
  func waitForRecorded(_ count: Int) async { await control.wait { $0.recorded.count >= count } }
}

/// The relay's thread.
///
/// `@unchecked`: it is handed to exactly one thread, and used by no other from then on.
private final class DemoRelayLoop: @unchecked Sendable {
  /// A socket towards the server, for one address of Ada's.
  private final class Upstream {
    let socket: DemoSocket
    let client: NetworkAddress

    init(_ client: NetworkAddress) throws(Failure) {
      var address = client
      address.port = 0
      socket = try DemoSocket(address)
      self.client = client
    }
  }

  let control = Monitor(DemoRelay.Control())
  private let server: NetworkAddress
  private let front: DemoSocket
  private var upstreams: [NetworkAddress: Upstream] = [:]
  private var buffer = [UInt8](repeating: 0, count: 2048)

  init(server: NetworkAddress) throws(Failure) {
    self.server = server
    front = try DemoSocket(NetworkAddress(ipv4: 127, 0, 0, 1, port: 0))
  }

  var address: NetworkAddress { front.address }

  func run() {
    while true {
      waitForDatagrams()
      let (stops, forgets) = control.withLock { control in
        defer { control.forgets = false }
        return (control.stops, control.forgets)
      }
      if stops { return }
      if forgets { upstreams = [:] }
      carryUp()
      for upstream in upstreams.values { carryDown(upstream) }
    }
  }

  /// Until something arrives, but not so long that a wish would go unseen.
  private func waitForDatagrams() {
    var waits = upstreams.values.map { pollfd(fd: $0.socket.descriptor, events: Int16(POLLIN), revents: 0) }
    waits.append(pollfd(fd: front.descriptor, events: Int16(POLLIN), revents: 0))
    poll(&waits, nfds_t(waits.count), 10)
  }

  private func carryUp() {
    while let (count, client) = front.receive(into: &buffer) {
      let datagram = buffer[..<count]
      let passes = control.withLock { control in
        guard control.carries() else { return false }
        control.record(datagram)
        return true
      }
      guard passes else { continue }
      if upstreams[client] == nil { upstreams[client] = try? Upstream(client) }
      upstreams[client]?.socket.send(datagram, to: server)
    }
  }

  private func carryDown(_ upstream: Upstream) {
    while let (count, _) = upstream.socket.receive(into: &buffer) {
      if control.withLock({ $0.carries() }) { front.send(buffer[..<count], to: upstream.client) }
    }
  }
}
