import RoamkeyCrypto
import RoamkeyEngine
import RoamkeySimulator
import RoamkeyWire
import Testing

/// Messages whose place and contents can be told from each other: a number, then bytes that follow from it.
func numbered(_ count: Int, size: Int = 32, from first: Int = 0, salt: UInt64 = 0) -> [[UInt8]] {
  (first..<first + count).map { numberedMessage($0, size: size, salt: salt) }
}

func numberedMessage(_ number: Int, size: Int, salt: UInt64 = 0) -> [UInt8] {
  var bytes = (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
  var filler = SeededRandom(seed: UInt64(number) ^ salt << 32)
  while bytes.count < size {
    let word = filler.next()
    for i in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: word >> (8 * UInt64(i)))) }
  }
  bytes.removeLast(max(0, bytes.count - max(8, size)))
  return bytes
}

/// Where two lists of messages begin to differ, in a few words; nil where they are the same.
func difference(_ found: [[UInt8]], _ expected: [[UInt8]]) -> String? {
  if let index = zip(found, expected).enumerated().first(where: { $0.element.0 != $0.element.1 })?.offset {
    return "message \(index) of \(expected.count) is another one"
  }
  return found.count == expected.count ? nil : "\(found.count) messages instead of \(expected.count)"
}

extension SimulatedWorld {
  /// A world with one player who has joined.
  static func joined(
    seed: UInt64, conditions: NetworkConditions = .perfect, configuration: RoamkeyConfiguration = .init(),
    settings: ServerSettings = ServerSettings(application: application), client: ClientSettings? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
  ) -> (SimulatedWorld, SimulatedPlayer) {
    let world = SimulatedWorld(seed: seed, settings: settings, configuration: configuration)
    let player = world.addPlayer(settings: client, conditions: conditions)
    world.connect(player)
    let isIn = world.run(within: .seconds(10)) { _ in player.hasJoined && world.session(of: player) != nil }
    #expect(isIn, "seed \(seed): not joined; \(player.host.events)", sourceLocation: sourceLocation)
    return (world, player)
  }

  /// The newest session that the server has announced for a player.
  func session(of player: SimulatedPlayer) -> SessionHandle? {
    for case .joined(let session, player.id, _) in serverHost.events.reversed() { return session }
    return nil
  }

  /// What the server got from a player in its newest session.
  func inbox(from player: SimulatedPlayer) -> [[UInt8]] {
    session(of: player).flatMap { serverHost.inbox[$0] } ?? []
  }

  func send(_ messages: [[UInt8]], from player: SimulatedPlayer) {
    for message in messages { send(message, from: player) }
  }

  func send(_ messages: [[UInt8]], to player: SimulatedPlayer) {
    guard let session = session(of: player) else { return }
    for message in messages { send(message, to: session) }
  }

  /// Runs until both inboxes are full and everything is acknowledged, then compares them.
  func expectDelivery(
    up: [[UInt8]] = [], down: [[UInt8]] = [], of player: SimulatedPlayer, within limit: Duration = .seconds(60),
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    run(within: limit) { world in
      player.inbox.count >= down.count && world.inbox(from: player).count >= up.count && world.isDelivered(player)
    }
    // What comes twice comes a little later.
    run(for: .seconds(2))
    let upward = difference(inbox(from: player), up)
    let downward = difference(player.inbox, down)
    #expect(upward == nil, "seed \(seed), \(elapsed), to the server", sourceLocation: sourceLocation)
    #expect(downward == nil, "seed \(seed), \(elapsed), to the player", sourceLocation: sourceLocation)
    #expect(isDelivered(player), "seed \(seed), \(elapsed): not acknowledged", sourceLocation: sourceLocation)
    expectSound(sourceLocation: sourceLocation)
  }

  /// Whether nothing is queued or unacknowledged between the server and a player.
  func isDelivered(_ player: SimulatedPlayer) -> Bool {
    player.client.queuedBytes == 0 && player.host.waitingMessages == 0 && serverHost.waitingMessages == 0
      && session(of: player).map { server.queuedBytes(of: $0) == 0 } ?? true
  }

  /// What holds in every world.
  func expectSound(sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(violations == [], "seed \(seed)", sourceLocation: sourceLocation)
  }

  /// On a good network with nothing to deliver there are keep-alives only: a ping and its acknowledgement from each
  /// side each time. Shortly after the last message clocks are still compared, twice by each side at most.
  func expectQuiet(_ player: SimulatedPlayer, sourceLocation: SourceLocation = #_sourceLocation) {
    setConditions(.local, of: player.host)
    run(for: .seconds(5))
    let before = player.host.traffic.datagramsSent + serverHost.traffic.datagramsSent
    run(for: .seconds(60))
    let count = player.host.traffic.datagramsSent + serverHost.traffic.datagramsSent - before
    #expect(count <= 4 * 12 + 8, "seed \(seed): \(count) datagrams in a quiet minute", sourceLocation: sourceLocation)
    #expect(count > 0, "seed \(seed): no keep-alive in a minute", sourceLocation: sourceLocation)
    expectSound(sourceLocation: sourceLocation)
  }
}

extension SimulatedPlayer {
  var hasJoined: Bool { host.joinedCount > 0 }
}

extension SimulatedHost {
  var joinedCount: Int { events.count { if case .joined = $0 { true } else { false } } }
  var offlineCount: Int { events.count { if case .offline = $0 { true } else { false } } }
  var onlineCount: Int { events.count { if case .online = $0 { true } else { false } } }

  var moves: [Move] {
    events.compactMap { if case .roamed(_, let change) = $0 { Move(change.side, change.from, change.to) } else { nil } }
  }

  var ends: [EndReason] { events.compactMap { if case .left(_, let reason) = $0 { reason } else { nil } } }

  var connectErrors: [ConnectError] {
    events.compactMap { if case .connectFailed(let error) = $0 { error } else { nil } }
  }
}

/// A `roamed` event.
struct Move: Equatable {
  let side: AddressChange.Side
  let from: NetworkAddress
  let to: NetworkAddress

  init(_ side: AddressChange.Side, _ from: NetworkAddress, _ to: NetworkAddress) {
    (self.side, self.from, self.to) = (side, from, to)
  }
}
