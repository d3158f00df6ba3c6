import Roamkey
import RoamkeySimulator
import Testing

@testable import Planets
@testable import PlanetsNet

/// Guests and hosts of somebody else's making.
@Suite struct HostileTests {
  private func begun(seed: UInt64 = 1) -> (Table, Table.Chair, SimulatedClient) {
    let table = Table(seed: seed, MatchSettings(rules: Rules(), bots: 0))
    let ada = table.sit("Ada", nil)
    let mallory = table.simulation.addClient(name: "Mallory")
    table.simulation.run(for: .seconds(2))
    ada.guest.start()
    #expect(table.simulation.run(until: { table.host.phase == .playing }, within: .seconds(10)))
    return (table, ada, mallory)
  }

  private func send(_ command: Command, _ client: SimulatedClient) {
    #expect(throws: Never.self) { try client.send(command, as: PlanetsWire.command) }
    client.flush()
  }

  @Test func whatMakesNoSenseIsCountedAndThenNoMore() throws {
    let (table, ada, mallory) = begun()
    let seat = try #require(table.host.match?.seat(of: mallory.id))
    let before = table.host.match?.game.fleets
    var random = SeededGenerator(seed: 5)
    for number in 0..<10 {
      let bytes = (0..<number * 10).map { _ in UInt8.random(in: 0...255, using: &random) }
      try mallory.send(bytes, as: PlanetsWire.command)
      try mallory.send("do you speak", as: "something")
    }
    mallory.flush()
    table.simulation.run(for: .seconds(1))
    #expect(table.host.statistics.senseless == 20 && table.host.statistics.kicked == 0)
    try mallory.send([UInt8](repeating: 0, count: 1025), as: PlanetsWire.command)
    try mallory.send([UInt8](repeating: 0, count: 500_000), as: PlanetsWire.command)
    mallory.flush()
    table.simulation.run(for: .seconds(10))
    #expect(table.host.statistics.kicked == 1)
    #expect(mallory.state == .disconnected(.kicked("messages that make no sense")))
    #expect(table.host.match?.game.fleets == before && ada.view.seats[seat].isAway && ada.guest.connection == .online)
  }

  /// Ids that are not there, numbers that do not follow each other, matches that are not played, others' planets.
  @Test func ordersAreLookedAt() throws {
    let (table, ada, mallory) = begun()
    let home = try #require(ada.view.yourPlanets.first?.id)
    let far = Order(from: [home], to: 0, share: .all)
    send(.order(match: 1, number: 1, order: far), mallory)
    send(.order(match: 1, number: 2, order: Order(from: [.max], to: .min, share: .all)), mallory)
    send(.order(match: 1, number: 3, order: Order(from: Array(repeating: 0, count: 300), to: 1, share: .all)), mallory)
    send(.order(match: 2, number: 4, order: far), mallory)
    for number in [4, 6, -1, .max, .min] { send(.order(match: 1, number: number, order: far), mallory) }
    send(.say(String(repeating: "x", count: 201)), mallory)
    send(.configure(MatchSettings()), mallory)
    send(.start, mallory)
    table.simulation.run(for: .seconds(2))
    // 2 and 3 for what they name, five for their numbers, one for the line.
    #expect(table.host.statistics.senseless == 8 && table.host.match?.game.fleets == [])
    #expect(table.host.people[mallory.id]?.handledOrder == 4)
    let refusals = mallory.takeEvents().compactMap { event -> OrderError? in
      guard case .message(let message) = event, message.action == PlanetsWire.refused else { return nil }
      return try? message.decode(Refusal.self).reason
    }
    #expect(refusals == [.notYours, .noSuchPlanet, .noSuchPlanet, .notPlaying])
    // An honest one is followed all the same.
    let own = try #require(table.host.view(of: mallory.id).yourPlanets.first?.id)
    send(.order(match: 1, number: 5, order: Order(from: [own], to: home, share: .half)), mallory)
    table.simulation.run(for: .seconds(1))
    #expect(table.host.match?.game.fleets.count == 1)
  }

  @Test func floodsArePutOut() {
    let (table, ada, mallory) = begun()
    for number in 1...400 {
      send(.order(match: 1, number: number, order: Order(from: [0], to: 1, share: .all)), mallory)
    }
    table.simulation.run(for: .seconds(2))
    #expect(table.host.statistics.kicked == 1 && table.host.statistics.tooFast > 20)
    #expect(mallory.state == .disconnected(.kicked("too many commands at once")))
    #expect(ada.guest.connection == .online)
  }

  /// As much as a person or a bot does in the five seconds of a cut is no flood.
  @Test func aBurstAfterACutIsNoFlood() {
    let (table, _, mallory) = begun()
    for number in 1...100 {
      send(.order(match: 1, number: number, order: Order(from: [0], to: 1, share: .all)), mallory)
    }
    table.simulation.run(for: .seconds(2))
    #expect(table.host.statistics == .init() && mallory.isConnected)
  }

  /// A host of somebody else's making: what is not sound is not shown.
  @Test func guestsLookAtWhatTheyAreTold() {
    let simulation = Simulation(seed: 3, application: PlanetsWire.application)
    let client = simulation.addClient()
    var guest = PlanetsGuest()
    simulation.every(.milliseconds(30)) { _ in guest.tick(client, now: client.time) }
    simulation.run(for: .seconds(1))
    var good = Game(seed: 1, seats: 2).view(for: 0)
    good.frame = 1
    var bad = good
    bad.frame = 2
    bad.you = 9
    var old = good
    old.frame = 0
    let server = simulation.server
    for view in [good, bad, old] { server.send(view, as: PlanetsWire.standing, to: client.id) }
    server.send("nonsense", as: PlanetsWire.standing, to: client.id)
    server.send("nonsense", as: PlanetsWire.state, to: client.id, delivery: .latest)
    server.send(Said(name: "x", text: String(repeating: "x", count: 300)), as: PlanetsWire.said, to: client.id)
    server.send("what?", to: client.id)
    simulation.run(for: .seconds(1))
    #expect(guest.view == good && guest.statistics.views == 1 && guest.statistics.senseless == 5)
    server.kick(client.id, reason: "bye")
    simulation.run(for: .seconds(1))
    #expect(guest.connection == .ended(.kicked("bye")))
  }
}
