import RoamkeyCrypto
import RoamkeyWire
import Testing

@testable import RoamkeyEngine

/// Who counts for the limits of players, and what those cost who do not (PROTOCOL §7, §11.4).
struct PlacesTests {
  /// A server and a home network behind one address, from which players come who never answer a CLOSE.
  final class Home {
    let server: ServerEndpoint
    let now = Instant(nanoseconds: 1_000_000_000)
    private var port: UInt16 = 1000
    private let serverAddress = NetworkAddress(ipv4: 192, 0, 2, 1, port: 7447)

    init(_ configuration: RoamkeyConfiguration, denied: Set<PlayerID> = []) {
      var settings = ServerSettings(application: "test/1")
      settings.access.denied = denied
      server = ServerEndpoint(
        key: PlayerKey.generate(), settings: settings, configuration: configuration, entropy: .seeded(1))
    }

    static func key(_ seed: UInt64) -> PlayerKey {
      var entropy = Entropy.seeded(seed)
      return PlayerKey(seed: entropy.secret())
    }

    /// Makes the handshake as the player with this number.
    func join(_ seed: UInt64) {
      port += 1
      let client = ClientEndpoint(
        key: Self.key(seed), settings: .init(application: "test/1"), configuration: .init(),
        entropy: .seeded(UInt64(port)))
      let address = NetworkAddress(ipv4: 198, 51, 100, 7, port: port)
      client.connect(to: [serverAddress], now: now)
      // Hello, and Finish; then it listens no more.
      for isLast in [false, true] {
        for datagram in Self.datagrams(of: client, now) { deliver(datagram, to: server, from: address) }
        let answers = Self.datagrams(of: server, now)
        if !isLast { for datagram in answers { deliver(datagram, to: client, from: serverAddress) } }
      }
    }

    private static func datagrams(of endpoint: some DatagramHandler, _ now: Instant) -> [[UInt8]] {
      var datagrams: [[UInt8]] = []
      var buffer = [UInt8](repeating: 0, count: 1400)
      var isBusy = true
      while isBusy {
        buffer.withUnsafeMutableBytes { bytes in
          var output = OutputRawSpan(buffer: bytes, initializedCount: 0)
          isBusy = endpoint.pollTransmit(into: &output, now: now) != nil
          let count = output.finalize(for: bytes)
          if isBusy { datagrams.append(Array(bytes[..<count])) }
        }
      }
      return datagrams
    }

    private func deliver(_ datagram: [UInt8], to endpoint: some DatagramHandler, from remote: NetworkAddress) {
      var datagram = datagram
      datagram.withUnsafeMutableBytes { bytes in
        var span = MutableRawSpan(_unsafeBytes: bytes)
        endpoint.receive(&span, path: NetworkPath(local: .any(port: 0), remote: remote), now: now)
      }
    }

    var joined: [PlayerID] {
      var events: [EngineEvent] = []
      server.drainEvents(into: &events)
      return events.compactMap { if case .joined(_, let player, _) = $0 { player } else { nil } }
    }
  }

  /// Somebody who is not let in takes no place of the others behind the same router.
  @Test func theRefusedTakeNoPlace() {
    var configuration = RoamkeyConfiguration()
    configuration.maximumSessionsPerPrefix = 2
    let home = Home(configuration, denied: [Home.key(99).id])
    for _ in 0..<5 { home.join(99) }
    home.join(1)
    home.join(2)
    home.join(3)
    #expect(home.joined == [Home.key(1).id, Home.key(2).id], "the third is one too many")
  }

  /// Nor does somebody who comes again and again.
  @Test func theReplacedGiveTheirPlaceBack() {
    var configuration = RoamkeyConfiguration()
    configuration.maximumSessionsPerPrefix = 2
    let home = Home(configuration)
    for _ in 0..<5 { home.join(1) }
    home.join(2)
    #expect(Set(home.joined) == [Home.key(1).id, Home.key(2).id])
    home.join(3)
    #expect(home.joined.isEmpty)
  }

  @Test func farewellsAreBounded() {
    var configuration = RoamkeyConfiguration()
    configuration.farewellLimit = 4
    let home = Home(configuration, denied: [Home.key(99).id])
    for _ in 0..<20 { home.join(99) }
    #expect(home.server.sessions.count == 4)
    for _ in 0..<20 { home.join(1) }
    #expect(home.server.sessions.count == 5 && home.server.players.count == 1)
    // The player has ids to move with, those who are on their way out have theirs as well.
    #expect(Set(home.server.sessionsByConnectionID.values.map(\.handle)).count == 5)
    #expect(home.server.sessionsByConnectionID.count <= 5 * IssuedConnectionIDs.target)
    #expect(home.server.sessionsPerPrefix.values.reduce(0, +) == 1)
    #expect(home.joined.count == 20, "each time the newest is in")
  }

  /// Keys are wiped when a session is removed, not when the last of its timers would have rung.
  @Test func theForgottenAreGone() throws {
    var configuration = RoamkeyConfiguration()
    configuration.farewellLimit = 0
    let home = Home(configuration)
    home.join(1)
    weak let old = home.server.sessions.values.first
    #expect(old != nil)
    home.join(1)
    #expect(old == nil && home.server.sessions.count == 1)
  }

  /// Whoever is in and may no longer be is put out, and stays out.
  @Test func newLists() {
    let home = Home(.init())
    home.join(1)
    home.join(2)
    var list = AccessList()
    list.denied = [Home.key(1).id]
    home.server.updateAccess(list, reason: "not on the list any more", now: home.now)
    var events: [EngineEvent] = []
    home.server.drainEvents(into: &events)
    let left = events.compactMap { if case .left(_, let reason) = $0 { reason } else { nil } }
    #expect(left == [.kicked("not on the list any more")])
    home.join(1)
    #expect(home.joined.isEmpty)
    #expect(home.server.players[Home.key(2).id]?.isOpen == true)
  }
}
