import Planets
import Roamkey
import RoamkeySimulator
import Testing

@testable import PlanetsNet

/// Who comes, goes, and comes back.
@Suite struct SeatTests {
  /// A person who leaves is played by a bot, and gets the seat back with the same key.
  @Test func aSeatHangsOnItsKey() {
    let table = Table(seed: 1, MatchSettings(bots: 0, level: .strong))
    let (ada, ben) = (table.sit("Ada", nil), table.sit("Ben", nil))
    #expect(table.begin())
    ben.client.close()
    table.simulation.run(for: .seconds(12))
    #expect(ada.view.seats.map(\.isAway) == [false, true] && ada.news.contains(.change(.away(seat: 1))))
    let planets = table.host.match?.game.standing(of: 1).planets ?? 0
    #expect(planets > 1 && table.host.match?.game.standing(of: 0).planets == 1, "the bot plays, nobody else does")
    table.restart(ben, after: .seconds(1))
    #expect(table.simulation.run(until: { ben.view.you == 1 }, within: .seconds(10)))
    table.simulation.run(for: .seconds(1))
    #expect(ada.view.seats.map(\.isAway) == [false, false] && ada.news.contains(.change(.back(seat: 1))))
    #expect(ben.view.yourPlanets.count >= 1 && ben.guest.shown.phase == .playing)
    // And the person's orders count again, from the first.
    let home = ben.view.yourPlanets.max { ben.view.ships(of: $0) ?? 0 < ben.view.ships(of: $1) ?? 0 }?.id ?? 0
    #expect(throws: Never.self) { try ben.guest.order(Order(from: [home], to: (home + 1) % 5, share: .half)) }
    table.simulation.run(for: .seconds(1))
    #expect(ben.view.handledOrder == 1 && table.host.statistics == .init() && table.faults == [])
  }

  /// Who only falls silent keeps the seat; no bot touches it.
  @Test func whoIsOfflineKeepsTheSeat() {
    let table = Table(seed: 2, MatchSettings(bots: 0, level: .strong))
    let (ada, ben) = (table.sit("Ada", nil), table.sit("Ben", nil))
    #expect(table.begin())
    table.simulation.cut([ben.client], for: .seconds(30))
    table.simulation.run(for: .seconds(25))
    #expect(ada.view.seats[1].isOffline && !ada.view.seats[1].isAway && ben.guest.connection == .offline)
    #expect(table.host.match?.game.standing(of: 1).planets == 1)
    // What is ordered meanwhile shows, and is followed when the network is back.
    let order = Order(from: [ben.view.yourPlanets[0].id], to: 0, share: .half)
    #expect(throws: Never.self) { try ben.guest.order(order) }
    #expect(ben.guest.shown.fleets.contains { $0.id < 0 })
    table.simulation.run(for: .seconds(15))
    #expect(ben.guest.connection == .online && ben.view.handledOrder == 1 && !ada.view.seats[1].isOffline)
    #expect(ben.news.contains(.offline) && ben.news.contains(.online) && table.faults == [])
  }

  @Test func whoComesLateWatches() {
    let table = Table(seed: 3, MatchSettings(rules: Rules(length: 400, pace: 4), bots: 1))
    table.sit("Ada", .strong)
    #expect(table.begin())
    let late = table.sit("Ben", nil)
    #expect(table.simulation.run(until: { late.view.phase == .playing }, within: .seconds(5)))
    #expect(late.view.you == nil && late.view.planets.allSatisfy { $0.isSeen })
    #expect(throws: OrderError.notPlaying) { try late.guest.order(Order(from: [0], to: 1, share: .all)) }
    #expect(table.playToTheEnd())
    #expect(table.begin() && late.view.you == 1)
    #expect(table.faults == [])
  }

  /// All have gone: the bots go on for two minutes, and whoever comes then finds a lobby.
  @Test func whatNobodySeesIsGivenUp() {
    let table = Table(seed: 5, MatchSettings(rules: Rules(), bots: 2))
    let ada = table.sit("Ada", nil)
    #expect(table.begin())
    ada.client.close()
    table.simulation.run(for: .seconds(30))
    #expect(table.host.phase == .playing && table.host.hostingPlayer == nil)
    table.simulation.run(for: .seconds(100))
    #expect(table.host.phase == .lobby)
    table.restart(ada, after: .seconds(1))
    #expect(table.simulation.run(until: { ada.view.seats.count == 3 }, within: .seconds(10)))
    #expect(ada.view.phase == .lobby && table.begin())
  }

  /// Nobody can look at the map through a second key, if the host wants it so.
  @Test func watchersMaySeeNothing() {
    let table = Table(seed: 3, MatchSettings(rules: Rules(watchersSeeAll: false)))
    table.sit("Ada", .strong)
    #expect(table.begin())
    let late = table.sit("Ben", nil)
    #expect(table.simulation.run(until: { late.view.phase == .playing }, within: .seconds(5)))
    table.simulation.run(for: .seconds(10))
    #expect(late.view.fleets.isEmpty && late.view.planets.allSatisfy { $0.stock == nil && $0.owner == nil })
    #expect(late.view.seats.contains { $0.ships > 0 }, "but who has how much")
  }

  /// The host's program begins anew: its match is gone, and all are in its lobby again by themselves.
  @Test func aHostThatBeginsAnew() {
    let table = Table(seed: 4, MatchSettings(rules: Rules(length: 260, pace: 4)))
    let (ada, ben) = (table.sit("Ada", .strong), table.sit("Ben", .strong))
    #expect(table.begin())
    table.simulation.run(for: .seconds(10))
    table.restartHost(after: .seconds(3))
    let isLobby = table.simulation.run(
      until: { [ada, ben].allSatisfy { $0.view.phase == .lobby && $0.view.seats.count == 3 } }, within: .seconds(60))
    #expect(isLobby && ada.news.contains(.reconnected) && ben.news.contains(.reconnected))
    #expect(table.begin() && table.playToTheEnd())
    #expect(table.host.statistics == .init() && table.simulation.violations == [])
  }

  /// An order shows at once, and once: whether it is still under way, arrives, or is lost on the way first.
  @Test(arguments: seeds(2))
  func anOrderIsShownOnceAllTheTime(seed: UInt64) {
    let table = Table(seed: seed, MatchSettings(rules: Rules(), bots: 1, level: .weak))
    let ada = table.sit("Ada", nil, network: NetTests.bad)
    #expect(table.begin())
    table.simulation.run(for: .seconds(1))
    let home = ada.view.yourPlanets[0]
    let target = ada.view.planets.max {
      $0.place.squaredDistance(to: home.place) < $1.place.squaredDistance(to: home.place)
    }
    #expect(throws: Never.self) {
      try ada.guest.order(Order(from: [home.id], to: target?.id ?? 0, share: .half))
    }
    var lows = 0
    for _ in 0..<100 {
      let shown = ada.guest.shown
      #expect(shown.fleets.count { $0.owner == ada.view.you } == 1, "seed \(seed)")
      lows += shown.ships(of: shown.planets[home.id]) ?? 0 < 30 ? 1 : 0
      table.simulation.run(for: .milliseconds(20))
    }
    #expect(lows == 100 && ada.view.fleets.contains { $0.owner == ada.view.you }, "seed \(seed)")
  }
}
