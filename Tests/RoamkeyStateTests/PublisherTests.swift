import RoamkeyCBOR
import RoamkeySimulator
import RoamkeyWire
import Testing

@testable import Roamkey
@testable import RoamkeyState

/// Who is told what as the difference to what, and how everybody gets out of any trouble (STATE §3, §7).
@Suite struct PublisherTests {
  private static let ada = PlayerKey.generate().id
  private static let ben = PlayerKey.generate().id

  /// Any state, any network, sessions and servers that begin anew: what is read is what was published.
  ///
  /// 2180 and 2245 are seeds of a check that did not see the upper bits of numbers.
  @Test(arguments: [2180, 2245] + Array(1...24)) func whateverHappensStatesAreRight(seed: UInt64) throws {
    let server = LossyServer(seed: seed)
    var random = SeededRandom(seed: ~seed)
    var publisher = StatePublisher<Value>()
    let players = [Self.ada, Self.ben, PlayerKey.generate().id]
    var subscribers = Dictionary(uniqueKeysWithValues: players.map { ($0, StateSubscriber<Value>()) })
    for player in players { server.join(player) }
    var published: [PlayerID: [UInt64: [Value]]] = [:]
    var frame: UInt64 = 0
    var states = (0..<2).map { _ in RandomValues.value(&random) }
    var team: [PlayerID: Int] = [:]
    var read = 0
    for _ in 0..<120 {
      if random.chance(0.02) { (publisher, frame) = (StatePublisher(), 0) }
      if random.chance(0.03), let player = players.randomElement(using: &random) { server.join(player) }
      if random.chance(0.02), let player = players.randomElement(using: &random) { server.leave(player) }
      if random.chance(0.02), let player = players.randomElement(using: &random) { subscribers[player] = .init() }
      if random.chance(0.05), let player = players.randomElement(using: &random) {
        team[player] = 1 - (team[player] ?? 0)
      }
      states = states.map { RandomValues.mutated($0, &random, chance: 0.05) }
      let others = publisher.take(server.takeReceipts() + [Receipt(number: 5, player: Self.ada, outcome: .delivered)])
      // Those of a publisher before this one are not its own.
      #expect(others.map(\.number).filter { $0 >> 63 == 0 } == [5])
      frame += 1
      for player in players { published[player, default: [:]][frame, default: []].append(states[team[player] ?? 0]) }
      publisher.publish(to: server) { states[team[$0] ?? 0] }
      for (message, player) in server.deliver(loss: 0.15, late: 0.3) {
        // Nobody knows what becomes of what came before the session.
        guard random.chance(0.97) else { continue }
        let isTaken = subscribers[player]?.take(message)
        #expect(isTaken == true)
        if let request = subscribers[player]?.takeRequest() {
          let isAnswered = publisher.take(answered(request), from: player)
          #expect(isAnswered)
        }
        guard let subscriber = subscribers[player], subscriber.lastError == nil else { continue }
        let newest = try #require(subscriber.newest)
        let meant = try #require(subscriber.newestFrame)
        #expect(published[player]?[meant]?.contains { $0.isIdentical(newest) } == true, "seed \(seed), frame \(meant)")
        read += 1
      }
    }
    #expect(read > 50, "seed \(seed): \(read)")
  }

  /// A request as it arrives.
  private func answered(_ request: Message) -> Message { LossyServer.received(request, channel: defaultStateChannel) }

  @Test func differencesAreWorkedOutOnceForAllWhoHaveTheSame() {
    let server = LossyServer(seed: 1)
    let players = (0..<50).map { _ in PlayerKey.generate().id }
    for player in players { server.join(player) }
    var publisher = StatePublisher<[Int]>()
    for tick in 0..<20 {
      server.receipts = []
      publisher.publish([tick, 2, 3, 4, 5, 6], to: server)
      // Every tenth player loses every third message.
      for (index, sent) in server.flight.enumerated() {
        let isLost = index % 10 == 0 && tick % 3 == 0
        let receipt = Receipt(number: sent.receipt ?? 0, player: sent.player, outcome: isLost ? .lost : .delivered)
        let others = publisher.take([receipt])
        #expect(others.isEmpty)
      }
      server.flight = []
    }
    let statistics = publisher.statistics
    #expect(statistics.messages == 1000 && statistics.encodings + statistics.sharedUses == 1000)
    #expect(statistics.encodings <= 40, "\(statistics)")
  }

  @Test func equalViewsAndGroupsAreSharedAndOthersSeeTheirs() {
    let server = LossyServer(seed: 1)
    let players = (0..<20).map { _ in PlayerKey.generate().id }
    for player in players { server.join(player) }
    let team = Dictionary(uniqueKeysWithValues: players.enumerated().map { ($1, $0 % 2) })
    var asked = 0
    var publisher = StatePublisher<[Int]>()
    publisher.publish(to: server) { player in team[player].map { [$0] } }
    #expect(publisher.statistics.encodings == 2 && publisher.statistics.sharedUses == 18)
    publisher.publish(to: server, by: { team[$0] }) { team in
      asked += 1
      return [team, 7]
    }
    #expect(asked == 2 && publisher.statistics.encodings == 4)
    publisher.publish(to: server) { player in player == players[0] ? [1] : nil }
    #expect(publisher.statistics.messages == 41)
    var subscriber = StateSubscriber<[Int]>()
    for (message, player) in server.deliver(loss: 0, late: 0) where player == players[1] { subscriber.take(message) }
    #expect(subscriber.newest == [1, 7])
  }

  @Test func whoeverComesBackGetsAWholeState() {
    let server = LossyServer(seed: 1)
    server.join(Self.ada)
    var publisher = StatePublisher<[Int]>()
    func publish(_ state: [Int]) {
      server.flight = []
      publisher.publish(state, to: server)
      for sent in server.flight {
        publisher.take([Receipt(number: sent.receipt ?? 0, player: sent.player, outcome: .delivered)])
      }
    }
    publish([1])
    publish([2])
    #expect(publisher.statistics.fullStates == 1)
    server.join(Self.ada)
    publish([3])
    publish([4])
    #expect(publisher.statistics.fullStates == 2)
  }

  @Test func anErrorIsToldAndForgotten() {
    struct Odd: Encodable {
      var fails: Bool
      func encode(to encoder: any Encoder) throws {
        if fails { throw CBORError.integerTooLarge }
        var container = encoder.singleValueContainer()
        try container.encode(1)
      }
    }
    let server = LossyServer(seed: 1)
    server.join(Self.ada)
    server.join(Self.ben)
    var publisher = StatePublisher<Odd>()
    let failures = publisher.publish(Odd(fails: true), to: server)
    #expect(Set(failures.keys) == [Self.ada, Self.ben])
    for error in failures.values { if case .notEncodable = error {} else { Issue.record("\(error)") } }
    server.refusal = .tooLarge(size: 5, limit: 4)
    let refused = publisher.publish(Odd(fails: false), to: server)
    #expect(refused == [Self.ada: .tooLarge(size: 5, limit: 4), Self.ben: .tooLarge(size: 5, limit: 4)])
    server.refusal = nil
    let none = publisher.publish(Odd(fails: false), to: server)
    #expect(none.isEmpty && server.flight.count == 2)
    #expect(publisher.statistics.failures == 3)
  }

  @Test func aSubscriberThatLostTheThreadAsksOnceAndIsHelped() {
    let server = LossyServer(seed: 1)
    server.join(Self.ada)
    var publisher = StatePublisher<[Int]>()
    var subscriber = StateSubscriber<[Int]>()
    var (unread, requests) = (0, 0)
    for tick in 0..<60 {
      // From the twentieth tick on it is another one, which has nothing of what the publisher believes it has.
      if tick == 20 { subscriber = StateSubscriber() }
      publisher.take(server.takeReceipts())
      publisher.publish([tick, 1, 2], to: server)
      for (message, _) in server.deliver(loss: 0, late: 0) {
        subscriber.take(message)
        if subscriber.lastError != nil {
          #expect(subscriber.lastError == .missingBaseline)
          unread += 1
        }
      }
      if let request = subscriber.takeRequest() {
        requests += 1
        let isOther = publisher.take(Message([UInt8](), as: "other"), from: Self.ada)
        let isTaken = publisher.take(answered(request), from: Self.ada)
        #expect(!isOther && isTaken)
      }
    }
    #expect(requests == 1 && unread == 1 && subscriber.newest == [59, 1, 2] && subscriber.lastError == nil)
    #expect(publisher.statistics.requests == 1)
  }

  @Test func twoPublishersDoNotTakeEachOthersReceipts() {
    let server = LossyServer(seed: 1)
    server.join(Self.ada)
    var one = StatePublisher<[Int]>(as: "near", channel: 4)
    var other = StatePublisher<[Int]>(as: "far", channel: 5)
    one.publish([1], to: server)
    other.publish([2], to: server)
    let receipts = server.flight.map { Receipt(number: $0.receipt ?? 0, player: Self.ada, outcome: .delivered) }
    #expect(receipts.allSatisfy { $0.number >> 63 == 1 })
    let left = one.take(receipts)
    let none = other.take(left)
    #expect(left == [receipts[1]] && none.isEmpty)
    var subscriber = StateSubscriber<[Int]>(as: "far", channel: 5)
    let taken = server.deliver(loss: 0, late: 0).map { subscriber.take($0.0) }
    #expect(taken == [false, true] && subscriber.newest == [2])
  }

  @Test func whatIsNoSuchTypeIsSaidAndGoesOn() {
    let server = LossyServer(seed: 1)
    server.join(Self.ada)
    var publisher = StatePublisher<Value>()
    var subscriber = StateSubscriber<[Int]>()
    for state: Value in [[1], ["a"], [2]] {
      publisher.publish(state, to: server)
      for (message, _) in server.deliver(loss: 0, late: 0) { subscriber.take(message) }
      if case .notDecodable = subscriber.lastError { #expect(state == ["a"]) } else { #expect(state != ["a"]) }
      let request = subscriber.takeRequest()
      #expect(request == nil)
      for receipt in server.takeReceipts() { publisher.take([receipt]) }
    }
    #expect(subscriber.newest == [2] && subscriber.statistics.undecodable == 1)
  }
}

extension LossyServer {
  /// A message as the other side has it.
  static func received(_ message: Message, channel: UInt8) -> Message {
    Message(
      id: 0, format: .bytes, author: nil, action: message.action, body: message.body,
      stream: StreamID(channel: channel, delivery: .reliableOrdered))
  }

  /// A message with other bytes, in the place of one.
  static func received(_ message: Message, like other: Message) -> Message {
    Message(
      id: other.id, format: .bytes, author: nil, action: message.action, body: message.body,
      stream: StreamID(channel: other.channel, delivery: other.delivery))
  }
}
