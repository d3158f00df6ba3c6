import RoamkeySimulator
import RoamkeyWire
import Testing

@testable import Roamkey
@testable import RoamkeyEngine

/// What an app does not read costs no memory without end, and nothing reliable is lost for it.
struct UnreadTests {
  private static let limit = 1000

  /// The same as `EventList`, as simple as it can be.
  private struct Model {
    var items: [(event: Int, cost: EventCost)] = []
    var dropped = 0

    private func unreliable(_ session: SessionHandle) -> [(index: Int, bytes: Int)] {
      items.enumerated().compactMap { index, item in
        if case .unreliable(session, let bytes) = item.cost { (index, bytes) } else { nil }
      }
    }

    mutating func append(_ event: Int, _ cost: EventCost) {
      if case .unreliable(let session, let bytes) = cost {
        while let oldest = unreliable(session).first,
          unreliable(session).reduce(bytes, { $0 + $1.bytes }) > UnreadTests.limit
        {
          items.remove(at: oldest.index)
          dropped += 1
        }
      }
      items.append((event, cost))
    }
  }

  @Test func itIsWhatASimpleListWouldBe() {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededRandom(seed: seed)
    var list = EventList<Int>(limit: Self.limit, blank: -1)
    var model = Model()
    var batch = EventBatch<Int>()
    for number in 0..<5000 {
      switch Int.random(in: 0..<100, using: &random) {
      case 0:
        list.append(moving: &batch)
        #expect(list.removeAll().events == model.items.map(\.event), "seed \(seed)")
        model.items = []
      case 1..<40:
        list.append(moving: &batch)
        let expected = model.items.isEmpty ? nil : model.items.removeFirst().event
        #expect(list.popFirst()?.event == expected, "seed \(seed)")
      default:
        let handle = SessionHandle(rawValue: UInt64.random(in: 0..<3, using: &random))
        let bytes = Int.random(in: 0...(Bool.random(using: &random) ? 400 : 1200), using: &random)
        let account = Credit.Account(handle: handle, stream: .init(channel: 0, delivery: .reliableOrdered))
        let cost: EventCost =
          switch Int.random(in: 0..<4, using: &random) {
          case 0: .nothing
          case 1: .credit(Credit(account: account, bytes: bytes))
          default: .unreliable(handle, bytes: bytes)
          }
        model.append(number, cost)
        batch.append(number, cost: cost)
        // One by one, or some at once.
        if batch.count > 3 || Bool.random(using: &random) { list.append(moving: &batch) } else { continue }
      }
      #expect(list.backlog.events == model.items.count, "seed \(seed)")
      #expect(list.backlog.bytes == model.items.reduce(0) { $0 + $1.cost.bytes }, "seed \(seed)")
      #expect(list.dropped == model.dropped, "seed \(seed)")
    }
    list.append(moving: &batch)
    #expect(model.dropped > 100, "seed \(seed): the test would show nothing")
    #expect(list.removeAll().events == model.items.map(\.event), "seed \(seed)")
  }

  @Test func behindAReliableMessageNothingPilesUp() {
    var list = EventList<Int>(limit: Self.limit, blank: -1)
    let handle = SessionHandle(rawValue: 1)
    list.append(0)
    for number in 0..<100_000 { list.append(number, cost: .unreliable(handle, bytes: 100)) }
    #expect(list.placeCount <= 2 * 12 + 64, "blanks included")
    #expect(list.removeAll().events == [0] + (99_990..<100_000))
  }

  @Test func theNewestStaysWhateverItsSize() {
    var list = EventList<Int>(limit: Self.limit, blank: -1)
    let (first, second) = (SessionHandle(rawValue: 1), SessionHandle(rawValue: 2))
    list.append(0, cost: .unreliable(first, bytes: 10))
    list.append(1, cost: .unreliable(second, bytes: 10))
    list.append(2, cost: .unreliable(first, bytes: 10_000))
    #expect(list.removeAll().events == [1, 2], "another session's is not touched")
  }

  @Test func memoryOfABurstIsGivenBack() {
    var list = EventList<Int>(limit: Self.limit, blank: -1)
    for number in 0..<5000 { list.append(number) }
    while list.popFirst() != nil {}
    #expect(list.placeCount == 0)
  }

  @Test(arguments: Delivery.allCases) func onlyReliableMessagesHaveCredit(_ delivery: Delivery) {
    let handle = SessionHandle(rawValue: 9)
    let message = InboundMessage(
      stream: .init(channel: 4, delivery: delivery), sequence: 0,
      content: .init(format: .bytes, action: "ab", body: [1, 2, 3]), credit: delivery.isReliable ? 77 : 0,
      receivedAt: .init(nanoseconds: 0), sentAt: .init(nanoseconds: 0))
    switch EventCost(of: message, in: handle) {
    case .nothing, .farewell, .blank: Issue.record("a message costs something")
    case .credit(let credit):
      #expect(delivery.isReliable)
      #expect(credit.bytes == 77)
      #expect(credit.account == .init(handle: handle, stream: message.stream))
    case .unreliable(let session, let bytes):
      #expect(!delivery.isReliable)
      #expect(session == handle)
      #expect(bytes == 5 + EventCost.unreliableOverhead)
      var signed = message
      signed.content.proof = AuthorProof.blank
      #expect(EventCost(of: signed, in: handle).bytes == bytes + EventCost.signatureOverhead)
    }
  }

  @Test func whatAnEventTakesIsCounted() {
    // The place in the list; a short body and action take a block each, of 48 bytes or so.
    #expect(
      MemoryLayout<Server.Event>.stride + MemoryLayout<EventCost>.stride + 8 + 2 * 48 <= EventCost.unreliableOverhead)
  }
}
