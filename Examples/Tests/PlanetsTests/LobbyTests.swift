import Planets
import Roamkey
import RoamkeySimulator
import Testing

@testable import PlanetsNet

@Suite struct LobbyTests {
  private func datagrams(_ table: Table) -> [Int] {
    [table.simulation.server.upstream.carried] + table.chairs.map(\.client.upstream.carried)
  }

  /// A minute in which nobody does anything: not one datagram, either way. Then it begins at once, where it does not
  /// take several tries to say so.
  @Test(arguments: seeds(2))
  func aLobbyCostsNothing(seed: UInt64) {
    let table = Table(seed: seed, MatchSettings(rules: NetTests.quick))
    let isGood = seed.isMultiple(of: 2)
    for name in ["Ada", "Ben", "Cleo"] { table.sit(name, nil, network: isGood ? .broadband : NetTests.bad) }
    table.simulation.run(for: .seconds(15))
    #expect(table.chairs.allSatisfy { $0.view.seats.count == 4 && $0.view == table.host.view(of: $0.client.id) })
    let before = datagrams(table)
    table.simulation.run(for: .seconds(60))
    #expect(datagrams(table) == before, "seed \(seed)")
    for chair in table.chairs { chair.guest.setReady(true) }
    let begins = table.simulation.run(
      until: { table.chairs.allSatisfy { $0.view.phase == .countdown } },
      within: isGood ? .milliseconds(300) : .seconds(10))
    #expect(begins, "seed \(seed)")
    #expect(table.simulation.violations == [] && table.faults == [])
  }

  /// Whose machine has died before the lobby came to rest is missed there, after the usual time.
  @Test func whoVanishesIsMissed() {
    let table = Table(seed: 3)
    let (ada, ben) = (table.sit("Ada", nil), table.sit("Ben", nil))
    table.simulation.suspend(ben.client, for: .seconds(3600))
    table.simulation.run(for: .seconds(400))
    #expect(table.host.people.count == 1 && ada.view.seats.map(\.isBot) == [false, true])
  }

  /// So it is when a match is over, and another may follow.
  @Test func theEndCostsNothingAndAnotherMatchFollows() {
    let table = Table(seed: 4, MatchSettings(rules: Rules(length: 100, pace: 4), bots: 0))
    for name in ["Ada", "Ben"] { table.sit(name) }
    #expect(table.begin() && table.playToTheEnd())
    table.simulation.run(for: .seconds(10))
    let before = datagrams(table)
    table.simulation.run(for: .seconds(60))
    #expect(datagrams(table) == before)
    let first = table.host.match
    #expect(table.begin() && table.playToTheEnd())
    #expect(table.host.match?.number == 2 && table.host.match?.game.map != first?.game.map, "another map")
    #expect(table.chairs.allSatisfy { $0.view.match == 2 && $0.news.contains(.change(.began)) })
    table.chairs[0].guest.backToLobby()
    #expect(table.simulation.run(until: { table.chairs.allSatisfy { $0.view.phase == .lobby } }, within: .seconds(5)))
    #expect(table.faults == [])
  }

  /// Who sits behind a router that forgets after 30 s stays within reach.
  @Test func whoIsBehindARouterIsWokenAsWell() {
    let table = Table(seed: 5, MatchSettings(rules: NetTests.quick))
    let router = table.simulation.addRouter(timeout: .seconds(30))
    table.sit("Ada", nil)
    table.sit("Ben", nil, behind: router)
    table.simulation.run(for: .seconds(120))
    table.chairs[0].guest.start()
    #expect(table.simulation.run(until: { table.chairs[1].view.phase == .playing }, within: .seconds(5)))
    #expect(table.faults == [])
  }

  @Test func onlyTheHostChooses() {
    let table = Table(seed: 6)
    let (ada, ben) = (table.sit("Ada", nil), table.sit("Ben", nil))
    table.simulation.run(for: .seconds(3))
    #expect(table.host.hostingPlayer == ada.client.id && ben.view.seats.map(\.isHost) == [true, false, false])
    let other = MatchSettings(rules: Rules(hasScanners: false), bots: 3, level: .weak, seed: 77)
    ben.guest.configure(other)
    ben.guest.start()
    table.simulation.run(for: .seconds(2))
    #expect(table.host.phase == .lobby && table.host.settings != other)
    ada.guest.configure(other)
    table.simulation.run(for: .seconds(2))
    #expect(ben.view.seats.map(\.bot) == [nil, nil, .weak, .weak, .weak] && !ben.view.rules.hasScanners)
    #expect(ben.view.planets.map(\.place) == Map(seed: 77, seats: 5).planets.map(\.place), "what is shown is played")
    // The host leaves: the next one is it.
    ada.client.close()
    table.simulation.run(for: .seconds(2))
    #expect(ben.view.seats.first?.isHost == true && ben.view.you == 0)
    ben.guest.start()
    table.simulation.run(for: .seconds(2))
    #expect(
      table.host.phase == .countdown && ben.view.planets.map(\.place).count == table.host.match?.game.map.planets.count)
  }

  @Test func onePersonAloneGetsABot() {
    let table = Table(seed: 7, MatchSettings(rules: Rules(length: 1500, pace: 8), bots: 0, level: .weak))
    table.sit("Ada", .strong)
    #expect(table.begin() && table.playToTheEnd())
    #expect(table.chairs[0].view.seats.map(\.isBot) == [false, true])
    #expect(table.chairs[0].view.phase == .over(winner: 0), "and beats it")
  }

  @Test func sixPlayAndTheSeventhWatches() {
    let table = Table(seed: 8, MatchSettings(rules: Rules(length: 60)))
    for number in 0..<7 { table.sit("Player \(number)", nil) }
    #expect(table.begin() && table.playToTheEnd())
    #expect(table.chairs.map(\.view.you) == [0, 1, 2, 3, 4, 5, nil])
    #expect(table.chairs[6].view.seats.count == 6 && table.faults == [])
  }

  @Test func aLineIsHeardByAll() {
    let table = Table(seed: 9)
    let (ada, ben) = (table.sit("Ada", nil), table.sit("Ben", nil))
    table.simulation.run(for: .seconds(2))
    ada.guest.say("hello \u{1b}[31mall\n of you")
    ben.guest.say(String(repeating: "ü", count: 500))
    ada.guest.say("")
    table.simulation.run(for: .seconds(2))
    for chair in [ada, ben] {
      let said = chair.news.compactMap { if case .said(let said) = $0 { said } else { nil } }
      #expect(said.map(\.name).sorted() == ["Ada", "Ben"] && said.map(\.seat).contains(1))
      #expect(said.allSatisfy { $0.text.utf8.count <= 200 && !$0.text.contains("\u{1b}") && !$0.text.contains("\n") })
    }
    #expect(table.host.statistics == .init())
  }
}
