import RoamkeyCrypto
import RoamkeyEngine
import RoamkeySodium
import RoamkeyWire

/// A handshake in memory, from nothing until both apps have been told; each side's share alone.
enum HandshakeTimings {
  static var all: [Timing] { [handshake(.client), handshake(.server)] }

  private enum Side { case client, server }

  private static func handshake(_ side: Side) -> Timing {
    let (keys, message, signature) = (CryptoTimings.Keys(), Scratch(count: 65), Scratch(count: 64))
    let (shared, scalar, point) = (Scratch(count: 32), Scratch(count: 32), Scratch(count: 32))
    crypto_scalarmult_base(point.pointer, scalar.pointer)
    CryptoTimings.bareSign(keys, message, signature)
    // A server's key for agreement lasts as long as it runs; a client makes both of its own.
    let newKeys = side == .client ? 2 : 1
    return Timing(
      side == .client ? "handshake, client" : "handshake, server", unit: "handshake", against: "its curve operations",
      time: { calls in
        var meeting = Meeting(side)
        for _ in 0..<calls { meeting.hold() }
        return meeting.nanoseconds
      },
      bare: {
        for _ in 0..<newKeys { crypto_scalarmult_base(shared.pointer, scalar.pointer) }
        for _ in 0..<3 { precondition(crypto_scalarmult(shared.pointer, scalar.pointer, point.pointer) == 0, "no key") }
        CryptoTimings.bareSign(keys, message, signature)
        precondition(CryptoTimings.bareVerify(keys, message, signature), "the signature was not taken")
      })
  }

  /// Server and client who have not met before, again and again.
  private struct Meeting: ~Copyable {
    private let side: Side
    private let now = Instant(nanoseconds: 1_000_000_000)
    private let serverAddress = NetworkAddress(ipv4: 192, 0, 2, 1, port: 7447)
    private let clientAddress = NetworkAddress(ipv4: 198, 51, 100, 7, port: 5000)
    private var events: [EngineEvent] = []
    private var batch = DatagramBatch()
    private(set) var nanoseconds = 0.0

    init(_ side: Side) { self.side = side }

    mutating func hold() {
      var settings = ServerSettings(application: "measure/1")
      settings.signingPolicy = .sealedOnly
      let server = ServerEndpoint(
        key: PlayerKey.generate(), settings: settings, configuration: .init(), entropy: .system)
      let client = ClientEndpoint(
        key: PlayerKey.generate(), settings: .init(application: "measure/1"), configuration: .init(),
        entropy: .system)
      let start = Timing.clock.now
      client.connect(to: [serverAddress], now: now)
      if side == .client { nanoseconds += (Timing.clock.now - start) / .nanoseconds(1) }
      // Hello and Welcome; Finish, and the packets that say that all is well.
      for _ in 0..<2 {
        pass(from: client, .client, to: server, local: serverAddress, remote: clientAddress)
        pass(from: server, .server, to: client, local: clientAddress, remote: serverAddress)
      }
      events.removeAll(keepingCapacity: true)
      client.drainEvents(into: &events)
      guard case .joined? = events.first else { preconditionFailure("the client has not joined") }
    }

    private mutating func pass(
      from sender: some DatagramHandler, _ sending: Side, to receiver: some DatagramHandler, local: NetworkAddress,
      remote: NetworkAddress
    ) {
      batch.removeAll()
      let start = Timing.clock.now
      sender.fill(&batch, now: now)
      let middle = Timing.clock.now
      for i in 0..<batch.count {
        var span = MutableRawSpan(_unsafeBytes: batch.bytes(i))
        receiver.receive(&span, path: NetworkPath(local: local, remote: remote), now: now)
      }
      nanoseconds += (sending == side ? middle - start : Timing.clock.now - middle) / .nanoseconds(1)
    }
  }
}
