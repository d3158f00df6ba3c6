import RoamkeySimulator
import RoamkeyWire
import Testing

@testable import Roamkey
@testable import RoamkeyEngine

/// What an app does not read costs no memory without end, and nothing reliable is lost for it.
struct UnreadTests {
  private typealias Queue = EventQueue<Int>

  private static let limit = 1000

  /// The same as `EventList`, as simple as it can be.
  private struct Model {
    var items: [Queue.Item] = []
    var dropped = 0

    private func unreliable(_ session: SessionHandle) -> [(index: Int, bytes: Int)] {
      items.enumerated().compactMap { index, item in
        if case .unreliable(session, let bytes) = item.cost { (index, bytes) } else { nil }
      }
    }

    mutating func append(_ item: Queue.Item) {
      if case .unreliable(let session, let bytes) = item.cost {
        while let oldest = unreliable(session).first,
          unreliable(session).reduce(bytes, { $0 + $1.bytes }) > UnreadTests.limit
        {
          items.remove(at: oldest.index)
          dropped += 1
        }
      }
      items.append(item)
    }
  }

  @Test func itIsWhatASimpleListWouldBe() {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededRandom(seed: seed)
    var list = EventList<Int>(limit: Self.limit)
    var model = Model()
    for number in 0..<5000 {
      switch Int.random(in: 0..<100, using: &random) {
      case 0:
        #expect(list.removeAll().map(\.event) == model.items.map(\.event), "seed \(seed)")
        model.items = []
      case 1..<40:
        let expected = model.items.isEmpty ? nil : model.items.removeFirst().event
        #expect(list.popFirst()?.event == expected, "seed \(seed)")
      default:
        let handle = SessionHandle(rawValue: UInt64.random(in: 0..<3, using: &random))
        let bytes = Int.random(in: 0...(Bool.random(using: &random) ? 400 : 1200), using: &random)
        let account = Credit.Account(handle: handle, stream: .init(channel: 0, delivery: .reliableOrdered))
        let cost: Queue.Cost =
          switch Int.random(in: 0..<4, using: &random) {
          case 0: .nothing
          case 1: .credit(Credit(account: account, bytes: bytes))
          default: .unreliable(handle, bytes: bytes)
          }
        list.append(.init(event: number, cost: cost))
        model.append(.init(event: number, cost: cost))
      }
      #expect(list.backlog.events == model.items.count, "seed \(seed)")
      #expect(list.backlog.bytes == model.items.reduce(0) { $0 + $1.cost.bytes }, "seed \(seed)")
      #expect(list.dropped == model.dropped, "seed \(seed)")
    }
    #expect(model.dropped > 100, "seed \(seed): the test would show nothing")
    #expect(list.removeAll().map(\.event) == model.items.map(\.event), "seed \(seed)")
  }

  @Test func behindAReliableMessageNothingPilesUp() {
    var list = EventList<Int>(limit: Self.limit)
    let handle = SessionHandle(rawValue: 1)
    list.append(.init(event: -1))
    for number in 0..<100_000 { list.append(.init(event: number, cost: .unreliable(handle, bytes: 100))) }
    #expect(list.nodeCount <= 12)
    #expect(list.removeAll().map(\.event) == [-1] + (99_990..<100_000))
  }

  @Test func theNewestStaysWhateverItsSize() {
    var list = EventList<Int>(limit: Self.limit)
    let (first, second) = (SessionHandle(rawValue: 1), SessionHandle(rawValue: 2))
    list.append(.init(event: 0, cost: .unreliable(first, bytes: 10)))
    list.append(.init(event: 1, cost: .unreliable(second, bytes: 10)))
    list.append(.init(event: 2, cost: .unreliable(first, bytes: 10_000)))
    #expect(list.removeAll().map(\.event) == [1, 2], "another session's is not touched")
  }

  @Test func memoryOfABurstIsGivenBack() {
    var list = EventList<Int>(limit: Self.limit)
    for number in 0..<5000 { list.append(.init(event: number)) }
    while list.popFirst() != nil {}
    #expect(list.nodeCount == 0)
  }

  @Test(arguments: Delivery.allCases) func onlyReliableMessagesHaveCredit(_ delivery: Delivery) {
    let handle = SessionHandle(rawValue: 9)
    let message = InboundMessage(
      stream: .init(channel: 4, delivery: delivery), sequence: 0,
      content: .init(format: .bytes, action: "ab", body: [1, 2, 3]), credit: delivery.isReliable ? 77 : 0,
      receivedAt: .init(nanoseconds: 0), sentAt: .init(nanoseconds: 0))
    switch Queue.Cost(of: message, in: handle) {
    case .nothing: Issue.record("a message costs something")
    case .credit(let credit):
      #expect(delivery.isReliable)
      #expect(credit.bytes == 77)
      #expect(credit.account == .init(handle: handle, stream: message.stream))
    case .unreliable(let session, let bytes):
      #expect(!delivery.isReliable)
      #expect(session == handle)
      #expect(bytes == 5 + Queue.unreliableOverhead)
    }
  }

  @Test func whatAnEventTakesIsCounted() {
    // The place in the list; a short body and action take a block each, of 48 bytes or so.
    #expect(MemoryLayout<EventQueue<Server.Event>.Item>.stride + 16 + 2 * 48 <= Queue.unreliableOverhead)
  }
}
