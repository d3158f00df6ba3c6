import RoamkeyEngine
import RoamkeySimulator
import RoamkeyWire
import Testing

/// A game of 20 messages a second each way, on a round trip of 100 ms, while networks change: what both apps got, and
/// how long they waited for it.
final class RoamingStory {
  static let period = Duration.milliseconds(50)
  static let roundTrip = Duration.milliseconds(100)

  let world: SimulatedWorld
  let player: SimulatedPlayer
  /// The same for every network that the player is on.
  let conditions: NetworkConditions
  private var up: [[UInt8]] = []
  private var down: [[UInt8]] = []

  struct Setting {
    var loss = 0.0
    /// Of the server's addresses, and of the player's first network.
    var serverFamilies = AddressFamilies.ipv4
    var families = AddressFamilies.ipv4
    /// Whether the player begins behind a NAT.
    var isBehindNAT = false
    var configuration = RoamkeyConfiguration()
    /// Which of the server's addresses the player is told; all by default.
    var knows: ([NetworkAddress]) -> [NetworkAddress] = { $0 }
  }

  /// A world in which the player has joined and both apps have been talking for two seconds.
  init(seed: UInt64, _ setting: Setting = Setting(), sourceLocation: SourceLocation = #_sourceLocation) {
    world = SimulatedWorld(seed: seed, configuration: setting.configuration, families: setting.serverFamilies)
    conditions = NetworkConditions(loss: setting.loss, delay: .milliseconds(50))
    player = world.addPlayer(
      conditions: conditions, behind: setting.isBehindNAT ? world.addNAT() : nil, families: setting.families)
    world.serverHost.process.keepsMessages = true
    player.host.process.keepsMessages = true
    world.connect(player, to: setting.knows(world.serverAddresses))
    let (world, player) = (world, player)
    let isIn = world.run(within: .seconds(20)) { _ in player.hasJoined && world.session(of: player) != nil }
    #expect(isIn, "seed \(world.seed): not joined; \(player.host.events)", sourceLocation: sourceLocation)
    tick()
    // What happens next happens anywhere between two messages.
    talk(for: .seconds(2) + .milliseconds(Int64(seed % 50) * 17 % 50))
  }

  // MARK: Talking

  /// Both apps say something every 50 ms while this is so.
  var isTalking = true

  private func tick() {
    if isTalking { say() }
    world.after(Self.period) { [weak self] _ in self?.tick() }
  }

  private func say() {
    up.append(numberedMessage(up.count, size: 40))
    world.send(up[up.count - 1], from: player)
    down.append(numberedMessage(down.count, size: 40, salt: 1))
    world.send([down[down.count - 1]], to: player)
  }

  /// Both apps talk for so long.
  func talk(for duration: Duration) { world.run(for: duration) }

  /// Both apps talk until something is so.
  /// - Returns: how long that took; nil: longer than `limit`.
  func talk(within limit: Duration, until condition: () -> Bool) -> Duration? {
    let start = world.now
    return world.run(within: limit) { _ in condition() } ? world.now - start : nil
  }

  // MARK: Networks

  /// Another interface of the player's, on a network of its own; nobody is told.
  func plugIn(behind nat: SimulatedNAT? = nil, _ families: AddressFamilies = .ipv4) -> SimulatedInterface {
    let interface = world.addInterface(to: player.host, conditions: conditions)
    world.connect(interface, behind: nat, families)
    return interface
  }

  // MARK: What arrived

  /// When messages arrived at an app, whatever session they were of.
  private func arrivals(at host: SimulatedHost) -> [Instant] {
    host.process.messages.values.flatMap { $0 }.map(\.message.receivedAt).sorted()
  }

  /// How long the apps have waited at most since a moment, beyond the usual: up to now, for what goes up and what comes
  /// down.
  func gaps(since start: Instant) -> (up: Duration, down: Duration) {
    (gap(at: world.serverHost, since: start), gap(at: player.host, since: start))
  }

  private func gap(at host: SimulatedHost, since start: Instant) -> Duration {
    let times = arrivals(at: host)
    guard let first = times.lastIndex(where: { $0 <= start }) else { return world.now - start }
    let pairs = zip(times[first...], times[(first + 1)...] + [world.now])
    return max(.zero, (pairs.map { $0.1 - $0.0 }.max() ?? .zero) - Self.period)
  }

  /// Expects that both apps have waited no longer than that.
  func expectGaps(_ limit: Duration, since start: Instant, sourceLocation: SourceLocation = #_sourceLocation) {
    let (up, down) = gaps(since: start)
    #expect(up <= limit, "seed \(world.seed), to the server", sourceLocation: sourceLocation)
    #expect(down <= limit, "seed \(world.seed), to the player", sourceLocation: sourceLocation)
  }

  /// How much was said in each direction.
  var said: Int { up.count }

  /// Whether all that was said by then has arrived.
  func isDelivered(_ count: Int) -> Bool { world.inbox(from: player).count >= count && player.inbox.count >= count }

  /// Nothing was lost or doubled, and it was one session all along.
  func expectOneSession(within limit: Duration = .seconds(5), sourceLocation: SourceLocation = #_sourceLocation) {
    isTalking = false
    world.expectDelivery(up: up, down: down, of: player, within: limit, sourceLocation: sourceLocation)
    let host = player.host
    #expect(
      host.joinedCount == 1 && world.serverHost.joinedCount == 1, "seed \(world.seed)", sourceLocation: sourceLocation)
    #expect(host.ends.isEmpty && world.serverHost.ends.isEmpty, "seed \(world.seed)", sourceLocation: sourceLocation)
  }

  /// One probe timeout on this path, with nothing but round trips known (PROTOCOL §10.4).
  var probeTimeout: Duration {
    guard let path = player.client.sessionStatistics(now: world.time(of: player.host)), let roundTrip = path.roundTrip
    else { return .seconds(1) }
    return roundTrip + max(path.jitter * 4, .milliseconds(1)) + .milliseconds(25)
  }
}
