import RoamkeyCrypto
import RoamkeyWire

@testable import RoamkeyEngine

/// One server and several clients, in virtual time and without loss: what leaves in one flush goes to several sessions.
final class Crowd {
  let server: ServerEndpoint
  private(set) var clients: [ClientEndpoint] = []
  var now = Instant(nanoseconds: 1_000_000_000)
  var events: [[EngineEvent]]
  var serverEvents: [EngineEvent] = []
  private let serverAddress = NetworkAddress(ipv4: 192, 0, 2, 1, port: 7447)

  init(_ count: Int, configuration: RoamkeyConfiguration = .init()) {
    server = ServerEndpoint(
      key: PlayerKey.generate(), settings: .init(application: "test/1"), configuration: configuration,
      entropy: .seeded(1))
    events = Array(repeating: [], count: count)
    for i in 0..<count {
      let client = ClientEndpoint(
        key: PlayerKey.generate(), settings: .init(application: "test/1"), configuration: configuration,
        entropy: .seeded(UInt64(2 + i)))
      clients.append(client)
      client.connect(to: [serverAddress], now: now)
    }
    run(for: .seconds(1))
  }

  /// The sessions in the order of the clients.
  var sessions: [SessionHandle] {
    clients.compactMap { client in server.sessions.values.first { $0.peer == client.id }?.handle }
  }

  /// All that an endpoint has to send now, and where to.
  func flush(_ endpoint: some DatagramHandler) -> [(bytes: [UInt8], to: NetworkAddress)] {
    RoamkeyEngineTests.flush(endpoint, now: now)
  }

  func exchange() {
    var isBusy = true
    while isBusy {
      isBusy = false
      for (i, client) in clients.enumerated() {
        for datagram in flush(client) {
          isBusy = true
          deliver(datagram.bytes, to: server, local: serverAddress, remote: Self.address(i))
        }
      }
      for datagram in flush(server) {
        isBusy = true
        deliverToClient(datagram.bytes, datagram.to)
      }
    }
    for i in clients.indices { clients[i].drainEvents(into: &events[i]) }
    server.drainEvents(into: &serverEvents)
  }

  /// Hands the server a datagram of a client.
  func deliver(_ datagram: [UInt8], from i: Int) {
    deliver(datagram, to: server, local: serverAddress, remote: Self.address(i))
  }

  func deliverToClient(_ datagram: [UInt8], _ address: NetworkAddress) {
    deliver(datagram, to: clients[Int(address.port) - 5000], local: address, remote: serverAddress)
  }

  func run(for duration: Duration) {
    let end = now + duration
    exchange()
    while let next = ([server.nextTimeout] + clients.map(\.nextTimeout)).compactMap({ $0 }).min(), next <= end {
      now = max(now, next)
      server.handleTimeout(now: now)
      for client in clients { client.handleTimeout(now: now) }
      exchange()
    }
    now = end
  }

  /// What a client got, as text.
  func heard(_ i: Int) -> [String] { Pair.texts(events[i]) }

  func tell(_ i: Int, _ text: String) throws {
    let content = MessageContent(format: .text, action: "", body: Array(text.utf8))
    try server.send(content.encoded(), to: sessions[i], now: now)
  }

  private static func address(_ i: Int) -> NetworkAddress {
    NetworkAddress(ipv4: 198, 51, 100, 7, port: UInt16(5000 + i))
  }

  private func deliver(
    _ datagram: [UInt8], to endpoint: some DatagramHandler, local: NetworkAddress, remote: NetworkAddress
  ) {
    var datagram = datagram
    datagram.withUnsafeMutableBytes { bytes in
      var span = MutableRawSpan(_unsafeBytes: bytes)
      endpoint.receive(&span, path: NetworkPath(local: local, remote: remote), now: now)
    }
  }
}

extension Session {
  /// The trailer of a packet to this session, which is not received by it; nil where it cannot be opened.
  func trailer(of datagram: [UInt8]) -> SignatureTrailer? {
    var datagram = datagram
    return datagram.withUnsafeMutableBytes { bytes in
      var span = MutableRawSpan(_unsafeBytes: bytes)
      let opened = try? keys.open(
        &span, connectionIDSize: issuedIDs.size, window: window, receiving: phases, opensReplays: true)
      guard let opened else { return nil }
      return try? SignatureTrailer(span.bytes.extracting(opened.plaintext))
    }
  }
}
