import RoamkeyEngine
import RoamkeyWire
import Testing

@testable import RoamkeySimulator

/// The world itself: what it holds, what it lets go, what it finds wrong.
@Suite struct WorldTests {
  /// Worlds run by the thousands, and each holds keys in pages of memory of their own.
  @Test func aWorldIsReleased() {
    weak var world: SimulatedWorld?
    weak var host: SimulatedHost?
    do {
      let new = SimulatedWorld(seed: 1)
      let nat = new.addNAT()
      let players = (0..<3).map { new.addPlayer(conditions: .awful, behind: $0 == 0 ? nil : nat) }
      for player in players { new.connect(player) }
      new.run(for: .seconds(5))
      new.restart(players[0], after: .seconds(1))
      new.restartServer()
      new.suspend(players[1].host, for: .seconds(100))
      new.move(players[1])
      new.partition([players[2].host])
      new.tap { _ in .pass }
      new.after(.seconds(50)) { $0.heal() }
      new.run(for: .seconds(5))
      (world, host) = (new, players[1].host)
    }
    #expect(world == nil && host == nil)
  }

  /// More than three times is a violation, and no process of the server can call upon what another one was shown.
  @Test func theLedgerOfThreeTimes() {
    let address = NetworkAddress(ipv4: 203, 0, 113, 1, port: 1)
    let server = SimulatedWorld.serverAddress
    let proofs = Proofs()
    func datagram(_ count: Int, serverProcess: Int = 1) -> Datagram {
      Datagram(
        time: SimulatedWorld.start, source: address, destination: server, bytes: Array(repeating: 0, count: count),
        serverProcess: serverProcess, proofs: proofs, proofCount: proofs.addresses.count)
    }
    var ledger = AmplificationLedger()
    ledger.onReceived(datagram(100), serverProcess: 1)
    #expect(ledger.onSent(300, to: address) == nil)
    #expect(ledger.onSent(1, to: address) != nil)
    let early = datagram(1)
    proofs.add(address)
    ledger.onReceived(datagram(1, serverProcess: 0), serverProcess: 1)
    #expect(ledger.onSent(3, to: address) != nil, "it was another process that proved it")
    ledger.onReceived(early, serverProcess: 1)
    #expect(ledger.onSent(6, to: address) != nil, "it was sent before that")
    ledger.onReceived(datagram(1), serverProcess: 1)
    #expect(ledger.onSent(10_000, to: address) == nil)
    #expect(ledger.totals(address) == (10_310, 103))

    // Who gets what another one passes on has proven both addresses, and so has the other one.
    let (second, third) = (NetworkAddress(ipv4: 203, 0, 113, 2, port: 1), NetworkAddress(ipv4: 203, 0, 113, 3, port: 1))
    var passedOn = datagram(1)
    passedOn.passedOnFrom = [second]
    ledger.onReceived(passedOn, serverProcess: 1)
    #expect(ledger.onSent(1, to: second) == nil && ledger.onSent(1, to: third) != nil)
  }

  /// A thousand players, each at an address of its own, wherever they go.
  @Test func addressesAreDistinct() {
    let all = (0..<1000).flatMap { player in
      [0, 1, 255, 256, 1000].flatMap { place in
        AddressFamily.allCases.map { SimulatedWorld.address(host: player, place: place, $0) }
      }
    }
    #expect(Set(all).count == all.count)
    let world = SimulatedWorld(seed: 1)
    let nats = (0..<1000).map { _ in world.addNAT().address }
    #expect(Set(nats).count == nats.count && Set(nats).isDisjoint(with: all))
  }

  /// What a cut stops, host by host: 1 and 2 are cut off from 3 and from whoever is no host.
  @Test func cuts() {
    func stopped(_ direction: CutDirection) -> [String] {
      let cut = NetworkCut(id: 1, members: [1, 2], direction: direction)
      return [(1, 2), (1, 3), (3, 1), (3, 4), (1, nil), (3, nil)].compactMap { (from: Int, to: Int?) in
        cut.stops(from: from, to: to) ? "\(from)>\(to.map(String.init) ?? "-")" : nil
      }
    }
    #expect(stopped(.both) == ["1>3", "3>1", "1>-"])
    #expect(stopped(.outbound) == ["1>3", "1>-"])
    #expect(stopped(.inbound) == ["3>1"])
    #expect(NetworkCut(id: 1, members: nil, direction: .both).stops(from: 3, to: nil))
  }
}
