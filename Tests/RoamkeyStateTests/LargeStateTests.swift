import RoamkeyCBOR
import RoamkeySimulator
import Testing

@testable import Roamkey
@testable import RoamkeyState

/// States of many packets, and those that cannot be read for long (STATE §3, §7).
@Suite struct LargeStateTests {
  private func large(_ count: Int) -> Value {
    var random = SeededRandom(seed: 7)
    return .bytes(random.bytes(count))
  }

  @Test func aLargeFirstStateArrivesOverASlowNetworkThatLoses() {
    let data = large(100_000)
    let game = StateGame<Value>(seed: 5)
    game.addClient(NetworkConditions(loss: 0.02, delay: .milliseconds(40), bandwidth: 625_000))
    game.simulation.run(for: .seconds(2))
    var tick: Int128 = 0
    game.run(ticks: 100) {
      tick += 1
      return ["tick": .integer(tick), "data": data]
    }
    let (subscriber, statistics) = (game.subscribers[0], game.publisher.statistics)
    #expect(game.wrong == 0 && game.failures.isEmpty && game.simulation.violations.isEmpty)
    #expect((subscriber.newestFrame ?? 0) + 10 >= game.frame, "\(subscriber.newestFrame ?? 0) of \(game.frame)")
    // It is sent once, and what follows is the difference to it.
    #expect(statistics.fullStates == 1 && subscriber.statistics.fullStates == 1 && statistics.bytes < 110_000)
    #expect(subscriber.statistics.unreadable == 0 && subscriber.statistics.requests == 0)
  }

  @Test func aPlayerThatReturnsGetsALargeStateOnce() {
    let data = large(30_000)
    let game = StateGame<Value>(seed: 6)
    game.addClient(NetworkConditions(delay: .milliseconds(40)))
    game.simulation.run(for: .seconds(2))
    game.run(ticks: 30) { ["data": data] }
    game.simulation.restart(game.clients[0])
    game.simulation.run(for: .milliseconds(700))
    game.run(ticks: 30) { ["data": data] }
    let subscriber = game.subscribers[0]
    #expect(game.wrong == 0 && subscriber.lastError == nil && subscriber.statistics.requests == 0)
    #expect(subscriber.statistics.fullStates == 2 && (subscriber.newestFrame ?? 0) + 10 >= game.frame)
  }

  @Test func nothingElseIsSentUntilItsOutcomeIsKnown() throws {
    let server = LossyServer(seed: 1)
    let player = PlayerKey.generate().id
    server.join(player)
    var publisher = StatePublisher<Value>()
    func publish() -> [LossyServer.Sent] {
      server.flight = []
      publisher.publish(large(10_000), to: server)
      return server.flight
    }
    for outcome in [DeliveryOutcome.lost, .expired, .superseded] {
      let first = try #require(publish().first)
      #expect(first.message.delivery == .reliableOrdered)
      let second = publish()
      #expect(second.isEmpty)
      // It is under way: to ask for it changes nothing.
      let request = LossyServer.received(Message([UInt8](), as: "state?"), channel: defaultStateChannel)
      let isTaken = publisher.take(request, from: player)
      #expect(isTaken)
      let third = publish()
      #expect(third.isEmpty)
      publisher.take([Receipt(number: first.receipt ?? 0, player: player, outcome: outcome)])
    }
    _ = publish()
    // Another session knows nothing of it.
    server.join(player)
    let again = try #require(publish().first)
    publisher.take([Receipt(number: again.receipt ?? 0, player: player, outcome: .delivered)])
    let next = try #require(publish().first)
    #expect(next.message.delivery == .latest && next.message.body.count < 20)
    #expect(publisher.statistics.fullStates == 5)
    // A receipt that never comes is not waited for forever.
    server.join(player)
    let counts = (0...2048).map { _ in publish().count }
    #expect(counts.reduce(0, +) == 2 && counts.first == 1 && counts.last == 1)
  }

  @Test func whoCannotReadForLongAsksAgainAndAgainAndIsHelped() {
    let server = LossyServer(seed: 1)
    let player = PlayerKey.generate().id
    server.join(player)
    var publisher = StatePublisher<[Int]>()
    var subscriber = StateSubscriber<[Int]>(limits: StateLimits(maximumValues: 10))
    var asked: [Int] = []
    func publish(_ state: [Int], _ tick: Int) {
      publisher.publish(state, to: server)
      for (message, _) in server.deliver(loss: 0, late: 0) { subscriber.take(message) }
      if subscriber.takeRequest() != nil { asked.append(tick) }
    }
    let many = Array(0..<100)
    for tick in 1...1000 { publish(many, tick) }
    #expect(asked == [1, 32] + Array(stride(from: 64, through: 1000, by: 64)))
    publish([1], 1001)
    #expect(subscriber.newest == [1] && subscriber.lastError == nil)
    // Another session: the first that cannot be read is the first.
    asked = []
    for tick in 1...10 { publish(many, tick) }
    server.join(player)
    for tick in 11...20 { publish(many, tick) }
    #expect(asked == [1, 11])
  }

  @Test func twoPublishersWithTheSameNamesLeaveEachOthersReceipts() {
    let server = LossyServer(seed: 1)
    server.join(PlayerKey.generate().id)
    var one = StatePublisher<[Int]>()
    var other = StatePublisher<[Int]>()
    one.publish([1], to: server)
    other.publish([2], to: server)
    let receipts = server.flight.map {
      Receipt(number: $0.receipt ?? 0, player: $0.player, outcome: .delivered)
    }
    // What is each publisher's own stands below the channel and above the frame.
    #expect(receipts.allSatisfy { $0.number >> 55 == 1 << 8 | 63 && $0.number & (1 << 39 - 1) == 1 })
    let left = one.take(receipts)
    let none = other.take(left)
    #expect(left == [receipts[1]] && none.isEmpty)
  }

  @Test func eachGroupIsToldItsOwnError() {
    struct Odd: Encodable {
      var group: Int
      func encode(to encoder: any Encoder) throws {
        throw EncodingError.invalidValue(group, .init(codingPath: [], debugDescription: "group \(group) is odd"))
      }
    }
    let server = LossyServer(seed: 1)
    let players = (0..<4).map { _ in PlayerKey.generate().id }
    for player in players { server.join(player) }
    let group = Dictionary(uniqueKeysWithValues: players.enumerated().map { ($1, $0 % 2) })
    var publisher = StatePublisher<Odd>()
    let failures = publisher.publish(to: server, by: { group[$0] }) { Odd(group: $0) }
    #expect(failures.count == 4 && failures[players[0]] == failures[players[2]])
    #expect(failures[players[1]] == failures[players[3]] && failures[players[0]] != failures[players[1]])
    #expect("\(String(describing: failures[players[3]]))".contains("group 1 is odd"))
  }

  @Test func statesAreKeptOnlyWhereSomebodyShowsThem() {
    let simulation = Simulation(seed: 3)
    let client = simulation.addClient(network: NetworkConditions(delay: .milliseconds(20)))
    simulation.run(for: .seconds(2))
    var publisher = StatePublisher<[Int]>()
    var subscriber = StateSubscriber<[Int]>()
    func run(_ ticks: Int) {
      for tick in 0..<ticks {
        _ = publisher.take(simulation.server.takeEvents())
        publisher.take(simulation.server.takeReceipts())
        publisher.publish([tick], to: simulation.server)
        simulation.server.flush()
        simulation.run(for: .milliseconds(100))
        _ = subscriber.take(client.takeEvents(), from: client)
      }
    }
    run(40)
    #expect(subscriber.shownCount == 1)
    let frame = subscriber.frame(at: simulation.time)
    #expect(frame != nil)
    run(40)
    // Two seconds of them at ten a second, and the one before.
    #expect((20...22).contains(subscriber.shownCount), "\(subscriber.shownCount)")
  }
}
