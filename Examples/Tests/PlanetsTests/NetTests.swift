import Planets
import Roamkey
import RoamkeySimulator
import Testing

@testable import PlanetsNet

@Suite struct NetTests {
  /// The players' network of these tests: 10 % loss, 30 to 60 ms one way, and a datagram twice now and then.
  static let bad = NetworkConditions(loss: 0.1, duplication: 0.01, delay: .milliseconds(30), jitter: .milliseconds(30))

  /// Of half a minute at most: much happens in it, since all goes four times as fast.
  static let quick = Rules(length: 600, pace: 4)

  /// A whole match with all that may happen to a network in the middle of it.
  ///
  /// In every other one a player is behind a router and another one's program is started anew, in the others the host
  /// moves: it could tell the one only from an address that the router has never heard of, and the other asks for it
  /// where it was. It moves when all the rest is over, since of two who move at the same time neither knows where the
  /// other is, and nobody has names here (`BothMoveTests` has the tale of those who have).
  static func eventfulMatch(seed: UInt64, _ rules: Rules = quick) -> Table {
    let table = Table(seed: seed, MatchSettings(rules: rules, bots: 1, level: .strong))
    let router = seed.isMultiple(of: 2) ? table.simulation.addRouter() : nil
    table.sit("Ada", .strong, network: bad)
    table.sit("Ben", .medium, network: bad, behind: router)
    table.sit("Cleo", .strong, network: bad)
    guard table.begin() else { return table }
    let (ada, ben, cleo) = (table.chairs[0], table.chairs[1], table.chairs[2])
    var chance = SeededGenerator(seed: seed)
    for _ in 0..<4 {
      let moment = Duration.milliseconds(Int.random(in: 0...10_000, using: &chance))
      switch Int.random(in: 0..<(router == nil ? 4 : 5), using: &chance) {
      case 0: table.simulation.after(moment) { $0.move(ada.client) }
      case 1: table.simulation.after(moment) { $0.move(ada.client, isNoticed: false) }
      case 2: table.simulation.after(moment) { $0.rebind(ben.client) }
      case 3: table.simulation.after(moment) { $0.cut([cleo.client], for: .seconds(5)) }
      default: table.simulation.after(moment) { _ in table.restart(cleo, after: .seconds(2)) }
      }
    }
    if router == nil { table.simulation.after(.seconds(18)) { $0.moveServer() } }
    #expect(
      table.playToTheEnd(within: .seconds(200)), "seed \(seed): \(table.host.phase), \(table.chairs.map(\.view.phase))")
    return table
  }

  /// In 148 one is started anew and then cut off twice, until it gives up and tries again.
  @Test(arguments: [1, 148] + seeds(0))
  func whatGuestsShowIsWhatTheHostSays(seed: UInt64) {
    let table = Self.eventfulMatch(seed: seed)
    #expect(table.faults == [] && table.simulation.violations == [], "seed \(seed)")
    #expect(table.host.statistics == .init(), "nobody was wronged, seed \(seed)")
    for chair in table.chairs {
      #expect(chair.views > 50 && chair.guest.statistics.senseless == 0, "seed \(seed)")
      #expect(chair.view.phase == table.host.phase && chair.view.history.count == 4, "seed \(seed)")
    }
  }

  @Test func aSeedIsTheSameMatchAgain() {
    let rules = Rules(length: 300, pace: 4)
    let (one, other) = (Self.eventfulMatch(seed: 6, rules), Self.eventfulMatch(seed: 6, rules))
    #expect(one.simulation.fingerprint == other.simulation.fingerprint)
    #expect(one.host.match == other.host.match && one.chairs.map(\.view) == other.chairs.map(\.view))
  }

  /// What a guest receives while four seats play, in bytes a second: for whoever wonders what a player costs.
  @Test func whatAGuestReceives() throws {
    let table = Table(seed: 3, MatchSettings(rules: Rules(), bots: 2, level: .strong))
    for name in ["Ada", "Ben"] { table.sit(name, .strong) }
    #expect(table.begin())
    let before = table.chairs.map(\.client.downstream.bytesCarried)
    table.simulation.run(for: .seconds(20))
    for (chair, before) in zip(table.chairs, before) {
      let rate = (Int(chair.client.downstream.bytesCarried) - Int(before)) / 20
      print("a guest receives \(rate) bytes a second, with \(chair.view.fleets.count) fleets in view")
      #expect((200..<60_000).contains(rate))
    }
  }
}
