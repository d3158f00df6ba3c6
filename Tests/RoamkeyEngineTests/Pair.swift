import RoamkeyCrypto
import RoamkeyWire

@testable import RoamkeyEngine

/// A server and a client that hand each other their datagrams, in virtual time and without loss: for what needs two
/// engines but no network.
final class Pair {
  let server: ServerEndpoint
  let client: ClientEndpoint
  let serverID: PlayerID
  let clientID: PlayerID
  var now = Instant(nanoseconds: 1_000_000_000)
  var serverEvents: [EngineEvent] = []
  var clientEvents: [EngineEvent] = []
  /// Looks at each datagram on its way, and may alter or drop it.
  var toServer: ([UInt8]) -> [UInt8]? = { $0 }
  var toClient: ([UInt8]) -> [UInt8]? = { $0 }

  let serverAddress = NetworkAddress(ipv4: 192, 0, 2, 1, port: 7447)
  var clientAddress = NetworkAddress(ipv4: 198, 51, 100, 7, port: 5000)

  init(
    seed: UInt64 = 1, configuration: RoamkeyConfiguration = .init(),
    server serverSettings: ServerSettings = .init(application: "test/1"),
    client clientSettings: ClientSettings = .init(application: "test/1"), recorder: (any PacketRecorder)? = nil
  ) {
    let serverKey = PlayerKey.generate()
    let clientKey = PlayerKey.generate()
    serverID = serverKey.id
    clientID = clientKey.id
    server = ServerEndpoint(
      key: serverKey, settings: serverSettings, configuration: configuration, entropy: .seeded(seed),
      recorder: recorder)
    client = ClientEndpoint(
      key: clientKey, settings: clientSettings, configuration: configuration, entropy: .seeded(seed + 1),
      recorder: recorder)
  }

  /// Connects and exchanges everything that follows at once.
  func connect() {
    client.connect(to: [serverAddress], now: now)
    exchange()
  }

  /// Hands over datagrams until both sides are silent.
  func exchange() {
    var isBusy = true
    while isBusy {
      isBusy = false
      for datagram in flush(client) {
        isBusy = true
        deliver(toServer(datagram), to: server, local: serverAddress, remote: clientAddress)
      }
      for datagram in flush(server) {
        isBusy = true
        deliver(toClient(datagram), to: client, local: clientAddress, remote: serverAddress)
      }
    }
    server.drainEvents(into: &serverEvents)
    client.drainEvents(into: &clientEvents)
  }

  /// Lets `duration` pass in steps of what either side waits for.
  func run(for duration: Duration) {
    let end = now + duration
    exchange()
    while let next = [server.nextTimeout, client.nextTimeout].compactMap({ $0 }).min(), next <= end {
      now = max(now, next)
      server.handleTimeout(now: now)
      client.handleTimeout(now: now)
      exchange()
    }
    now = end
  }

  /// All that an endpoint has to send now.
  func flush(_ endpoint: some DatagramHandler) -> [[UInt8]] {
    RoamkeyEngineTests.flush(endpoint, now: now).map(\.bytes)
  }

  /// The next datagram alone.
  func poll(_ endpoint: some DatagramHandler, _ buffer: inout [UInt8]) -> [UInt8]? {
    buffer.withUnsafeMutableBytes { bytes in
      var output = OutputRawSpan(buffer: bytes, initializedCount: 0)
      guard endpoint.pollTransmit(into: &output, now: now) != nil else { return nil }
      return Array(bytes[..<output.finalize(for: bytes)])
    }
  }

  func deliver(
    _ datagram: [UInt8]?, to endpoint: some DatagramHandler, local: NetworkAddress, remote: NetworkAddress
  ) {
    guard var datagram else { return }
    datagram.withUnsafeMutableBytes { bytes in
      var span = MutableRawSpan(_unsafeBytes: bytes)
      endpoint.receive(&span, path: NetworkPath(local: local, remote: remote), now: now)
    }
  }

  /// The server's only session.
  var session: SessionHandle? { server.sessions.keys.first }

  func send(_ text: String) throws {
    let content = MessageContent(format: .text, action: "", body: Array(text.utf8))
    try client.send(content.encoded(), now: now)
  }

  /// What the server got, as text.
  var heard: [String] { Self.texts(serverEvents) }

  static func texts(_ events: [EngineEvent]) -> [String] {
    events.compactMap { event in
      if case .message(_, let message) = event { String(decoding: message.content.body, as: UTF8.self) } else { nil }
    }
  }
}

/// All that an endpoint has to send now, as a driver takes it: in batches.
func flush(_ endpoint: some DatagramHandler, now: Instant) -> [(bytes: [UInt8], to: NetworkAddress)] {
  var batch = DatagramBatch()
  var datagrams: [(bytes: [UInt8], to: NetworkAddress)] = []
  repeat {
    batch.removeAll()
    endpoint.fill(&batch, now: now)
    for i in 0..<batch.count { datagrams.append((Array(batch.bytes(i)), batch.path(i).remote)) }
  } while batch.isFull
  return datagrams
}
