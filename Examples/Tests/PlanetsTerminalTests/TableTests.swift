import Planets
import PlanetsNet
import Roamkey
import RoamkeySimulator
import Testing

@testable import PlanetsTerminal

/// What a screen is told of a match over a network: a host and two guests on a simulated one.
@Suite struct TableTests {
  private final class Room {
    let simulation: Simulation
    var host: PlanetsHost
    var tables: [GuestTable<SimulatedClient>] = []
    var clients: [SimulatedClient] = []
    var news: [[TableNews]] = []

    init(seed: UInt64, settings: MatchSettings) {
      var configuration = RoamkeyConfiguration()
      configuration.flushPolicy = .manual
      let simulation = Simulation(seed: seed, application: PlanetsWire.application, configuration: configuration)
      self.simulation = simulation
      host = PlanetsHost(seed: seed, settings: settings)
      simulation.every(.milliseconds(25)) { [unowned self] in host.tick($0.server, now: $0.time) }
    }

    func sit(_ name: String, settings: MatchSettings? = nil) {
      let client = simulation.addClient(network: .broadband, name: name)
      let number = tables.count
      let origin = client.time
      tables.append(GuestTable(client, origin: origin, settings: settings, seed: 1))
      clients.append(client)
      news.append([])
      simulation.every(.milliseconds(40), on: client) { [unowned self] _ in
        news[number] += tables[number].step(at: origin.duration(to: client.time) / .seconds(1))
      }
      simulation.run(for: .seconds(1))
    }

    func wait(_ condition: @escaping () -> Bool) -> Bool { simulation.run(until: condition, within: .seconds(60)) }
  }

  private let settings = MatchSettings(rules: Rules(hasScanners: false, length: 600, pace: 4), bots: 1, seed: 3)

  private func room() -> Room {
    let room = Room(seed: 5, settings: settings)
    room.sit("Ada", settings: settings)
    room.sit("Ben")
    return room
  }

  @Test func fromTheLobbyToAnotherMatch() {
    let room = room()
    #expect(room.tables[0].isHost && !room.tables[1].isHost)
    #expect(room.wait { room.tables.allSatisfy { $0.view.seats.map(\.name).prefix(2) == ["Ada", "Ben"] } })
    #expect(room.tables.allSatisfy { $0.status == nil })
    room.tables[0].ask(.bots(count: 3, level: .weak))
    #expect(room.wait { room.tables[1].view.seats.filter(\.isBot).count == 3 })
    room.tables[1].say("hello\u{1b}[2J")
    #expect(room.wait { room.news[0].contains(.said(seat: 1, name: "Ben", text: "hello[2J")) })
    room.tables[1].ask(.ready(true))
    #expect(room.wait { room.tables[0].view.seats[1].isReady })
    room.tables[0].ask(.start)
    #expect(room.wait { room.tables.allSatisfy { $0.view.phase == .playing } })
    // An order shows at once, and one that cannot be is told why.
    let mine = room.tables[1].view.yourPlanets.map(\.id)
    #expect((try? room.tables[1].order(Order(from: mine, to: mine[0] == 0 ? 1 : 0, share: .half))) != nil)
    #expect(room.tables[1].view.fleets.contains { $0.owner == 1 })
    #expect(throws: OrderError.self) { try room.tables[1].order(Order(from: [], to: 0, share: .half)) }
    #expect(room.wait { if case .over = room.tables[1].view.phase { true } else { false } })
    let map = room.tables[1].view.planets.map(\.place)
    room.tables[1].ask(.again)
    room.tables[0].ask(.again)
    #expect(room.wait { room.tables.allSatisfy { $0.view.match == 2 && $0.view.phase == .playing } })
    #expect(room.tables[1].view.planets.map(\.place) != map)
  }

  @Test func whatHappensToTheNetworkIsSaid() {
    let room = room()
    room.tables[0].ask(.start)
    #expect(room.wait { room.tables.allSatisfy { $0.view.phase == .playing } })
    room.simulation.move(room.clients[1])
    #expect(room.wait { room.tables[1].status == "You moved to another network; nothing was lost." })
    #expect(room.wait { room.tables[1].status == nil })
    room.simulation.cut([room.clients[1]], for: .seconds(5))
    #expect(room.wait { room.tables[1].status == "Looking for the host ... what you order is kept." })
    #expect(room.wait { room.tables[1].status == "The host is heard again; nothing was lost." })
    #expect(room.wait { room.tables[1].status == nil })
    #expect(room.tables[0].status == nil)
  }

  @Test func whoComesLateWatchesUntilTheNextMatch() {
    let room = room()
    room.tables[0].ask(.start)
    #expect(room.wait { room.tables.allSatisfy { $0.view.phase == .playing } })
    room.sit("Cleo")
    #expect(room.wait { room.tables[2].view.phase == .playing })
    #expect(room.tables[2].status == "You watch this match; in the next one you have a seat.")
    #expect(room.tables[1].status == nil)
    #expect(room.wait { if case .over = room.tables[2].view.phase { true } else { false } })
    room.tables[0].ask(.again)
    #expect(room.wait { room.tables[2].view.match == 2 && room.tables[2].view.you != nil })
    #expect(room.tables[2].status == nil)
  }

  /// Alone: from its seed the same match, however unevenly its time goes.
  @Test func aMatchAloneFollowsFromItsSeed() {
    func match(_ steps: [Double]) -> View {
      var table = LocalTable(MatchSetup(name: "Ada", bots: 2, seed: 9))
      var time = 0.0
      _ = table.step(at: time)
      for step in steps {
        time += step
        #expect(table.step(at: time) == [])
        let tick = table.tick(at: time)
        #expect((Double(table.view.tick)...Double(table.view.tick + 1)).contains(tick))
      }
      return table.view
    }
    let even = match(Array(repeating: 0.0625, count: 640))
    let uneven = match(Array(repeating: [0.03125, 0.21875, 0.25], count: 80).flatMap { $0 })
    #expect(even.tick == 740)
    #expect(even == uneven)
  }

  /// Who suspends the program finds the match where it was.
  @Test func aPauseIsNoTimeOfTheMatch() {
    var table = LocalTable(MatchSetup(name: "Ada", bots: 1, seed: 9))
    for frame in 0..<200 { _ = table.step(at: Double(frame) * 0.04) }
    let tick = table.view.tick
    _ = table.step(at: 4000)
    #expect(table.view.tick == tick)
    _ = table.step(at: 4000.1)
    #expect((tick + 1...tick + 3).contains(table.view.tick))
    for second in 4001..<4100 { table.pause(at: Double(second)) }
    _ = table.step(at: 4099.2)
    #expect((tick + 3...tick + 7).contains(table.view.tick))
  }
}
