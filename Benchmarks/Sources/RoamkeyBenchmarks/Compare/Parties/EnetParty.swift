internal import Enet

/// ENet in its default settings, one channel, on one thread: a host with all its peers.
///
/// `@unchecked`: ENet has no lock; a process uses its only party from one task.
final class EnetParty: Party, @unchecked Sendable {
  /// The longest that ENet's own timers wait for the next call of `service`.
  private static let serviceInterval: Duration = .milliseconds(5)
  /// Messages that are not acknowledged, and their bytes: ENet itself has no limit, and gets slow where an app has none.
  private static let backlogLimit = 8192
  private static let backlogByteLimit = 1 << 20
  /// Clients that call at the same time.
  private static let newcomerLimit = 200

  private struct Backlog {
    var packets = 0
    var bytes = 0
  }

  private let host: UnsafeMutablePointer<ENetHost>
  private let backlog: UnsafeMutablePointer<Backlog>
  private var connected: [UnsafeMutablePointer<ENetPeer>] = []
  /// Taken by `service` while something was sent.
  private var pending: [(peer: Int, packet: UnsafeMutablePointer<ENetPacket>)] = []

  var peers: Int { connected.count }
  var port: UInt16 { host.pointee.address.port }

  private init(at address: ENetAddress?, peers: Int) throws(BenchmarkFailure) {
    guard enet_initialize() == 0 else { throw BenchmarkFailure("ENet does not start") }
    let created =
      if var address { enet_host_create(&address, peers, 1, 0, 0) } else { enet_host_create(nil, peers, 1, 0, 0) }
    guard let created else { throw BenchmarkFailure("ENet has no host for \(peers) peers") }
    host = created
    backlog = .allocate(capacity: 1)
    backlog.initialize(to: Backlog())
  }

  deinit {
    for (_, packet) in pending { enet_packet_destroy(packet) }
    enet_host_destroy(host)
    backlog.deallocate()
  }

  static func server(_ settings: PartySettings) throws(BenchmarkFailure) -> EnetParty {
    try EnetParty(at: loopback(0), peers: settings.peers)
  }

  /// Returns once all are connected.
  static func clients(_ settings: PartySettings) throws(BenchmarkFailure) -> EnetParty {
    let party = try EnetParty(at: nil, peers: settings.peers)
    var address = try loopback(settings.port)
    let end = Monotonic.now + .seconds(20)
    var calling = 0
    while party.peers < settings.peers {
      guard Monotonic.now < end else { throw BenchmarkFailure("ENet's clients did not get through") }
      // All at once do not fit into the server's socket, and are repeated half a second later.
      while calling < min(settings.peers, party.peers + Self.newcomerLimit) {
        guard enet_host_connect(party.host, &address, 1, 0) != nil else {
          throw BenchmarkFailure("ENet does not connect")
        }
        calling += 1
      }
      try party.service()
      if party.peers < calling { DatagramSocket.wait(for: party.host.pointee.socket, atMost: .milliseconds(1)) }
    }
    return party
  }

  private static func loopback(_ port: UInt16) throws(BenchmarkFailure) -> ENetAddress {
    var address = ENetAddress(host: 0, port: port)
    guard enet_address_set_host_ip(&address, "127.0.0.1") == 0 else { throw BenchmarkFailure("ENet has no address") }
    return address
  }

  // MARK: Sending

  func send(_ bytes: [UInt8], to peer: Int, _ promise: Promise) throws(BenchmarkFailure) -> Bool {
    guard backlog.pointee.packets < Self.backlogLimit, backlog.pointee.bytes < Self.backlogByteLimit else {
      return false
    }
    let packet = try makePacket(bytes, promise)
    guard enet_peer_send(connected[peer], 0, packet) == 0 else { throw BenchmarkFailure("ENet does not send") }
    return true
  }

  func broadcast(_ bytes: [UInt8], _ promise: Promise) throws(BenchmarkFailure) {
    enet_host_broadcast(host, 0, try makePacket(bytes, promise))
  }

  private func makePacket(
    _ bytes: [UInt8], _ promise: Promise
  ) throws(BenchmarkFailure) -> UnsafeMutablePointer<ENetPacket> {
    let flags = promise == .reliable ? ENET_PACKET_FLAG_RELIABLE.rawValue : 0
    guard let packet = enet_packet_create(bytes, bytes.count, flags) else { throw BenchmarkFailure("no ENet packet") }
    backlog.pointee.packets += 1
    backlog.pointee.bytes += bytes.count
    packet.pointee.userData = UnsafeMutableRawPointer(backlog)
    packet.pointee.freeCallback = { packet in
      guard let packet, let counts = packet.pointee.userData?.assumingMemoryBound(to: Backlog.self) else { return }
      counts.pointee.packets -= 1
      counts.pointee.bytes -= packet.pointee.dataLength
    }
    return packet
  }

  func flush() throws(BenchmarkFailure) { try service() }

  func waitForRoom(_ peer: Int) async throws(BenchmarkFailure) {
    try service()
    guard backlog.pointee.packets >= Self.backlogLimit || backlog.pointee.bytes >= Self.backlogByteLimit else { return }
    DatagramSocket.wait(for: host.pointee.socket, atMost: .milliseconds(1))
    try service()
  }

  // MARK: Receiving

  func receive(
    until moment: Monotonic?, _ take: (Int, UnsafeRawBufferPointer) -> Void
  ) async throws(BenchmarkFailure) {
    while true {
      try service()
      let found = !pending.isEmpty
      for (peer, packet) in pending {
        take(peer, UnsafeRawBufferPointer(start: packet.pointee.data, count: packet.pointee.dataLength))
        enet_packet_destroy(packet)
      }
      pending.removeAll(keepingCapacity: true)
      if moment == nil && found { return }
      let left = moment.map { $0 - .now } ?? Self.serviceInterval
      if left <= .zero { return }
      // What has just come is answered first: acknowledgements leave with the next call.
      if !found { DatagramSocket.wait(for: host.pointee.socket, atMost: min(left, Self.serviceInterval)) }
    }
  }

  /// Sends and receives what there is.
  private func service() throws(BenchmarkFailure) {
    var event = ENetEvent()
    while true {
      let result = enet_host_service(host, &event, 0)
      guard result >= 0 else { throw BenchmarkFailure("ENet has failed") }
      guard result > 0 else { return }
      switch event.type {
      case ENET_EVENT_TYPE_CONNECT:
        event.peer.pointee.data = UnsafeMutableRawPointer(bitPattern: connected.count + 1)
        connected.append(event.peer)
      case ENET_EVENT_TYPE_RECEIVE:
        pending.append((Int(bitPattern: event.peer.pointee.data) - 1, event.packet))
        // So much at a time: an app takes them before more come.
        if pending.count >= 4096 { return }
      case ENET_EVENT_TYPE_DISCONNECT: throw BenchmarkFailure("ENet has lost a session")
      // C enumerations may have any value; ENet's only other one says that nothing happened.
      default: return
      }
    }
  }
}
