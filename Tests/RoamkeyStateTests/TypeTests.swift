import RoamkeySimulator
import Testing

@testable import Roamkey
@testable import RoamkeyState

/// Types as games have them, through a publisher and a subscriber.
@Suite struct TypeTests {
  /// A key of a dictionary that is no text.
  private struct Badge: Codable, Hashable {
    var house: Int
    var number: Int
  }

  private struct Ship: Codable, Equatable, Identifiable {
    enum Order: Codable, Equatable {
      case idle
      case fly(to: Spot, speed: Float)
      case attack(Badge)
    }
    struct Spot: Codable, Equatable {
      var x: Double
      var y: Double
    }

    let id: String
    var spot: Spot
    var order: Order
    var target: Int?
    var trail: [[Float]]
  }

  private struct Everything: Codable, Equatable {
    var ships: [Ship] = []
    var scores: [Badge: Int] = [:]
    var names: [String: String] = [:]
    var rooms: [Int: [Ship]] = [:]
    var flags: Set<Int> = []
    var big: UInt64 = .max
    var raw: [UInt8] = []
    var none: Int?
    var empty: [String: Int] = [:]
  }

  private let badges = (0..<5).map { Badge(house: $0 % 2, number: $0) }

  private func change(_ state: inout Everything, _ random: inout SeededRandom) {
    switch Int.random(in: 0..<9, using: &random) {
    case 0:
      let spot = Ship.Spot(x: .random(in: -9...9, using: &random), y: -0.0)
      let ship = Ship(id: "ship \(random.next() % 20)", spot: spot, order: .idle, target: nil, trail: [])
      state.ships.append(ship)
      state.rooms[Int(random.next() % 50), default: []].append(ship)
    case 1: if !state.ships.isEmpty { state.ships.remove(at: Int(random.next() % UInt64(state.ships.count))) }
    case 2: state.scores[badges.randomElement(using: &random) ?? badges[0], default: 0] -= 3
    case 3: state.names["\(random.next() % 60)"] = random.chance(0.3) ? nil : "é\(random.next() % 3)"
    case 4: state.rooms[Int(random.next() % 50)] = nil
    case 5: state.flags.formSymmetricDifference([Int(random.next() % 9)])
    case 6: (state.big, state.raw) = (random.next(), random.bytes(3))
    case 7: state.none = random.chance(0.5) ? nil : 5
    default:
      for index in state.ships.indices {
        state.ships[index].spot.x += 0.1
        state.ships[index].trail.append([Float(state.ships[index].spot.x), 2.5])
        state.ships[index].target = random.chance(0.5) ? nil : index
        state.ships[index].order =
          random.chance(0.5)
          ? .fly(to: state.ships[index].spot, speed: 0.3) : .attack(badges.randomElement(using: &random) ?? badges[0])
      }
    }
  }

  @Test func anyCodableTypeComesThrough() {
    for seed in UInt64(1)...4 {
      let server = LossyServer(seed: seed)
      var random = SeededRandom(seed: ~seed)
      server.join(PlayerKey.generate().id)
      var publisher = StatePublisher<Everything>()
      var subscriber = StateSubscriber<Everything>()
      var state = Everything()
      var published: [UInt64: Everything] = [:]
      for frame in UInt64(1)...80 {
        change(&state, &random)
        published[frame] = state
        publisher.take(server.takeReceipts())
        publisher.publish(state, to: server)
        for (message, _) in server.deliver(loss: 0.1, late: 0.2) {
          subscriber.take(message)
          #expect(
            subscriber.lastError == nil && subscriber.newest == published[subscriber.newestFrame ?? 0], "seed \(seed)")
        }
      }
      #expect(subscriber.statistics.states > 40 && subscriber.statistics.fullStates < 30, "seed \(seed)")
    }
  }
}
