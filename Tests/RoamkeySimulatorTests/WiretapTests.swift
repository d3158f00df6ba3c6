import Roamkey
import RoamkeySimulator
import Testing

/// Somebody before the server's door, and a server that chooses whom it lets in.
@Suite struct WiretapTests {
  @Test func replayedPacketsChangeNothing() {
    let simulation = Simulation(seed: 1)
    let client = simulation.addClient(network: .perfect)
    let tap = simulation.addWiretap(to: client)
    simulation.run(until: { client.isConnected }, within: .seconds(5))
    var texts: [String] = []
    for number in 0..<20 {
      try? client.send("\(number)")
      simulation.run(for: .milliseconds(100))
    }
    func take() {
      for case .message(let message, _) in simulation.server.takeEvents() { texts.append(message.shownText) }
    }
    take()
    #expect(texts == (0..<20).map { "\($0)" })

    let (place, before) = (simulation.server.address(of: client.id), simulation.server.datagramsDropped)
    #expect(tap.packets.count >= 20 && place != nil)
    tap.replay()
    tap.isRecording = false
    let copied = tap.packets.count
    simulation.run(for: .seconds(1))
    #expect(simulation.server.datagramsDropped - before == UInt64(copied))
    #expect(simulation.server.address(of: client.id) == place)
    take()
    #expect(texts.count == 20)

    // What is not recorded is not copied, and the honest player goes on.
    try? client.send("still here")
    simulation.run(for: .seconds(1))
    take()
    #expect(tap.packets.count == copied && texts.last == "still here")
  }

  @Test func whoIsNotOnTheListStaysOutside() {
    let simulation = Simulation(seed: 2)
    let (ada, mallory) = (simulation.addClient(), simulation.addClient())
    simulation.server.updateAccess(allow: [ada.id])
    simulation.run(for: .seconds(5))
    #expect(ada.isConnected)
    #expect(mallory.state == .failed(.refused(.notAllowed)))

    simulation.server.updateAccess(allow: nil, deny: [ada.id])
    simulation.run(for: .seconds(5))
    #expect(!ada.isConnected)
    #expect(simulation.violations.isEmpty)
  }

  @Test func whoExpectsAnotherServerHangsUp() {
    let simulation = Simulation(seed: 3)
    let ada = simulation.addClient()
    let sister = simulation.addClient(pinned: ada.id)
    simulation.run(for: .seconds(30))
    #expect(ada.isConnected)
    #expect(sister.state == .failed(.wrongServer(expected: ada.id, found: simulation.server.id)))
    #expect(simulation.server.players == [ada.id])
  }
}
