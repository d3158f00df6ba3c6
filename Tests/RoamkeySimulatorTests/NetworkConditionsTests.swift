import RoamkeySimulator
import Testing

/// A public type takes whatever it is given: what makes no sense counts as the nearest that does.
@Suite struct NetworkConditionsTests {
  @Test(arguments: [(-0.1, 0), (0, 0), (0.25, 0.25), (1, 1), (1.5, 1), (.infinity, 1), (-.infinity, 0), (.nan, 0)])
  func sharesAreClamped(given: Double, meant: Double) {
    var conditions = NetworkConditions(loss: given, duplication: given, corruption: given, reordering: given)
    let shares: [WritableKeyPath<NetworkConditions, Double>] = [\.loss, \.duplication, \.corruption, \.reordering]
    for share in shares { #expect(conditions[keyPath: share] == meant) }
    for share in shares {
      conditions[keyPath: share] = 0.5
      conditions[keyPath: share] = given
      #expect(conditions[keyPath: share] == meant)
    }
    var bursts = NetworkConditions.Bursts(begin: given, end: given, loss: given)
    #expect(bursts == NetworkConditions.Bursts(begin: meant, end: meant, loss: meant))
    (bursts.begin, bursts.end, bursts.loss) = (given, given, given)
    #expect(bursts == NetworkConditions.Bursts(begin: meant, end: meant, loss: meant))
  }

  @Test func durationsAreNotNegative() {
    var conditions = NetworkConditions(
      delay: .seconds(-1), jitter: .milliseconds(-1), reorderingDelay: .nanoseconds(-1))
    #expect(conditions == NetworkConditions(reorderingDelay: .zero))
    (conditions.delay, conditions.jitter, conditions.reorderingDelay) = (.seconds(-2), .seconds(-2), .seconds(-2))
    #expect(conditions == NetworkConditions(reorderingDelay: .zero))
    conditions.delay = .milliseconds(20)
    #expect(conditions.delay == .milliseconds(20))
  }

  @Test func sizesAreNotNegative() {
    var conditions = NetworkConditions(bandwidth: -5, queue: -5, mtu: -5)
    #expect(conditions.bandwidth == 1 && conditions.queue == 0 && conditions.mtu == 0)
    (conditions.bandwidth, conditions.queue, conditions.mtu) = (0, .min, .min)
    #expect(conditions.bandwidth == 1 && conditions.queue == 0 && conditions.mtu == 0)
    (conditions.bandwidth, conditions.queue, conditions.mtu) = (nil, nil, nil)
    #expect(conditions.bandwidth == nil && conditions.queue == nil && conditions.mtu == nil)
    #expect(NetworkConditions(bandwidth: 1000).queue == NetworkConditions.defaultQueue)
  }

  /// The largest of everything: nothing arrives for centuries, and nothing traps.
  @Test func extremesDoNotTrap() {
    let world = SimulatedWorld(seed: 1)
    let forever = Duration.seconds(Int64.max)
    let conditions = NetworkConditions(
      loss: 0.1, duplication: 1, corruption: 1, delay: forever, jitter: forever, keepsOrder: true, reordering: 0.5,
      reorderingDelay: forever, bandwidth: 1, queue: .max, mtu: .max, bursts: .init(begin: 1, end: 1, loss: 0))
    let player = world.addPlayer(conditions: conditions)
    world.connect(player)
    world.run(for: .seconds(20))
    #expect(player.host.uplink.statistics.carried > 0 && world.serverHost.traffic.datagramsReceived == 0)
    var random = SeededRandom(seed: 1)
    #expect(random.duration(below: forever) > .zero)
    #expect(random.duration(below: .seconds(Int64.min)) == .zero)
    #expect(random.bytes(-1) == [])
    #expect(!random.chance(.nan) && random.chance(2))
  }
}
