import RoamkeyEngine
import RoamkeySimulator
import RoamkeyWire
import Testing

/// A network that is wholly gone for a minute, for minutes, for hours: the app does nothing, and nothing is lost
/// (PROTOCOL §9.1, §11.1).
@Suite struct DeadNetworkTests {
  private typealias Kind = DeadNetworkStory.Kind

  @Test(arguments: 1...4 as ClosedRange<UInt64>)
  func tenMinutesWithMinutesWithout(seed: UInt64) {
    let story = DeadNetworkStory(seed: seed)
    cutAtRandom(story, cuts: 4, of: .seconds(60), in: .seconds(600))
    story.talk(for: .seconds(600))
    story.run(for: .seconds(600))
    expectPromises(story)
    #expect(story.mostWaiting == 0, "seed \(seed): the queue holds what a minute produces")
  }

  /// As long as the default `offlineLimit`.
  @Test(arguments: [11, 12] as [UInt64])
  func fiveMinutesWithout(seed: UInt64) {
    let story = DeadNetworkStory(seed: seed)
    #expect(story.world.configuration.offlineLimit == .seconds(300))
    cutAtRandom(story, cuts: 1, of: .seconds(300), in: .seconds(600))
    story.talk(for: .seconds(600))
    story.run(for: .seconds(600))
    expectPromises(story)
    #expect(story.mostWaiting == 0, "seed \(seed): the queue holds what five minutes produce")
  }

  /// For those who ask for it; with a queue that holds what three hours produce, and with one that does not: the rest
  /// waits with the app.
  @Test(arguments: [1 << 20, 32_000])
  func threeHoursWithout(sendQueueLimit: Int) {
    var configuration = RoamkeyConfiguration()
    configuration.offlineLimit = .seconds(4 * 3600)
    configuration.sendQueueLimit = sendQueueLimit
    let story = DeadNetworkStory(seed: 21, configuration: configuration)
    let (world, player) = (story.world, story.player)
    story.talk(for: .seconds(3 * 3600 + 600), pace: 60)
    story.cut(after: .seconds(300), for: .seconds(3 * 3600))
    story.run(for: .seconds(360))
    let before = player.host.traffic.datagramsSent + world.serverHost.traffic.datagramsSent
    story.run(for: .seconds(3 * 3600 - 60))
    let datagrams = player.host.traffic.datagramsSent + world.serverHost.traffic.datagramsSent - before
    // A probe every five seconds from each side; in the first five minutes the client looks for the server more often.
    #expect(datagrams <= 2 * 3 * 3600 / 5 + 300 * 5 / 4)
    #expect(datagrams >= 3 * 3600 / 5, "nobody would notice the network")
    story.run(for: .seconds(300))
    expectPromises(story)
    #expect((story.mostWaiting > 0) == (sendQueueLimit == 32_000), "\(story.mostWaiting) waited with the apps")
  }

  /// What is promised ends with `offlineLimit`: both sides say so, each once.
  @Test func beyondItsLimitTheSessionEnds() {
    var configuration = RoamkeyConfiguration()
    configuration.offlineLimit = .seconds(3600)
    let story = DeadNetworkStory(seed: 22, configuration: configuration)
    story.talk(for: .seconds(10))
    story.run(for: .seconds(20))
    story.cut(after: .zero, for: .seconds(3 * 3600))
    story.run(for: .seconds(3600))
    #expect(story.player.host.ends.isEmpty && story.world.serverHost.ends.isEmpty)
    story.run(for: .seconds(60))
    #expect(story.player.host.ends == [.timedOut] && story.world.serverHost.ends == [.timedOut])
    #expect(story.up.failures == [] && story.down.failures == [])
    story.world.expectSound()
  }

  /// What the other tests rest on: a promise that is broken is noticed.
  @Test func brokenPromisesAreNoticed() {
    func failures(_ kind: Kind, _ order: [Int], after delay: Duration = .zero) -> Int {
      let direction = DeadNetworkStory.Direction("nowhere", salt: 1)
      let sent = (0..<4).map { _ in direction.next(kind, at: .zero) }
      direction.look(order.map { sent[$0] }, at: delay)
      return direction.failures.count
    }
    for kind in Kind.allCases {
      #expect(failures(kind, [0, 1, 2, 3]) == 0)
      #expect(failures(kind, [0, 1, 1]) > 0, "\(kind) twice")
      #expect((failures(kind, [0, 2]) > 0) == (kind == .moves || kind == .chat), "\(kind) missing")
      #expect((failures(kind, [0, 3, 2]) > 0) == [.moves, .chat, .state].contains(kind), "\(kind) out of order")
      #expect((failures(kind, [0], after: .seconds(6)) > 0) == (kind == .offers), "\(kind) late")
    }
    let direction = DeadNetworkStory.Direction("nowhere", salt: 1)
    var message = direction.next(.chat, at: .zero)
    #expect(!direction.isComplete)
    message[20] ^= 1
    direction.look([message], at: .zero)
    #expect(direction.failures.count == 1 && !direction.isComplete)
  }

  // MARK: Helpers

  /// Before, between and after the cuts there is a network for a quarter of a minute at least.
  private func cutAtRandom(_ story: DeadNetworkStory, cuts: Int, of length: Duration, in run: Duration) {
    let pause: Duration = .seconds(15)
    let free = run - length * cuts - pause * (cuts + 1)
    var random = SeededRandom(seed: story.world.seed ^ 0xdead)
    let offsets = (0..<cuts).map { _ in random.duration(below: free) }.sorted()
    for (index, offset) in offsets.enumerated() {
      story.cut(after: offset + length * index + pause * (index + 1), for: length)
    }
  }

  private func expectPromises(_ story: DeadNetworkStory, sourceLocation: SourceLocation = #_sourceLocation) {
    story.finish(within: .seconds(60))
    let (world, player) = (story.world, story.player)
    let note: Comment = "seed \(world.seed), cuts \(story.cuts)"
    for direction in [story.up, story.down] {
      #expect(direction.failures == [], "\(note), \(direction.name)", sourceLocation: sourceLocation)
      for kind in Kind.allCases {
        let (sent, arrived) = (direction.sentAt[kind]?.count ?? 0, direction.arrived[kind]?.count ?? 0)
        if kind.mustArrive {
          #expect(arrived == sent, "\(note): \(kind) \(direction.name)", sourceLocation: sourceLocation)
        }
        #expect(arrived > 0, "\(note): \(kind) \(direction.name)", sourceLocation: sourceLocation)
      }
      expectReturn(story, direction, sourceLocation)
    }
    for host in [player.host, world.serverHost] {
      #expect(host.reachability == story.cuts.flatMap { _ in [false, true] }, note, sourceLocation: sourceLocation)
      #expect(host.ends.isEmpty && host.joinedCount == 1, note, sourceLocation: sourceLocation)
    }
    #expect(world.isDelivered(player), note, sourceLocation: sourceLocation)
    // An empty queue takes any message; a full one none.
    let limit = world.configuration.sendQueueLimit
    #expect(story.deepestQueue <= limit && story.deepestQueue > 0, note, sourceLocation: sourceLocation)
    world.expectSound(sourceLocation: sourceLocation)
  }

  /// Nothing gets through a cut, and the first message comes within two probes of its end: one may be lost.
  private func expectReturn(
    _ story: DeadNetworkStory, _ direction: DeadNetworkStory.Direction, _ sourceLocation: SourceLocation
  ) {
    let note: Comment = "seed \(story.world.seed), \(direction.name)"
    let expiring = direction.sentAt[.offers, default: []]
    for cut in story.cuts {
      let meanwhile = direction.arrivals.contains {
        cut.start + DeadNetworkStory.longestTrip < $0 && $0 < cut.end
      }
      #expect(!meanwhile, note, sourceLocation: sourceLocation)
      let first = direction.arrivals.first { $0 >= cut.end }
      #expect(first.map { $0 - cut.end < .seconds(11) } == true, note, sourceLocation: sourceLocation)
      // What expired in the middle of it did not come later.
      let expired = expiring.indices.filter { cut.start < expiring[$0] && expiring[$0] + .seconds(5) < cut.end }
      #expect(!expired.isEmpty, note, sourceLocation: sourceLocation)
      #expect(
        expired.allSatisfy { direction.arrived[.offers]?.contains($0) != true }, note, sourceLocation: sourceLocation)
    }
  }
}

extension SimulatedHost {
  /// What was told of the other side, in order: true is online, false is offline.
  fileprivate var reachability: [Bool] {
    events.compactMap { event in
      switch event {
      case .offline: false
      case .online: true
      case .joined, .message, .roamed, .left, .receipt, .connectFailed, .searching, .reset: nil
      }
    }
  }
}
