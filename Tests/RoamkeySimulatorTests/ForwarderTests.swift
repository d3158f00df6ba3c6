import RoamkeyEngine
import RoamkeyWire
import Testing

@testable import RoamkeySimulator

/// Somebody on the way who copies datagrams and sends them on from elsewhere.
@Suite struct ForwarderTests {
  private static func joined() -> (SimulatedWorld, SimulatedPlayer, Forwarder) {
    let world = SimulatedWorld(seed: 1)
    let player = world.addPlayer(conditions: NetworkConditions(delay: .milliseconds(20)))
    let forwarder = world.addForwarder(to: player)
    world.connect(player)
    // Clocks have been compared by then.
    world.run(for: .seconds(4))
    return (world, player, forwarder)
  }

  /// It sees all, and its copy comes before the original.
  @Test(arguments: [Forwarder.Choice.ignores, .copies, .takes, .stops])
  func upward(choice: Forwarder.Choice) {
    let (world, player, forwarder) = Self.joined()
    var first: Datagram?
    forwarder.upward = { datagram in
      guard first == nil else { return .ignores }
      first = datagram
      return choice
    }
    let before = world.serverHost.traffic.datagramsReceived
    world.send([1, 2, 3], from: player)
    world.run(for: .milliseconds(5))
    let isSentOn = choice == .copies || choice == .takes
    #expect(first.map { $0.isFrom(player) && !$0.isServers } == true)
    #expect(world.serverHost.traffic.datagramsReceived - before == (isSentOn ? 1 : 0))
    #expect(forwarder.sentOn == (isSentOn ? 1 : 0))
    #expect(world.serverTraffic(with: forwarder.address).received == (isSentOn ? first?.bytes.count : 0))
    world.run(for: .seconds(1))
    #expect(world.server.statistics[.replayed] == (choice == .copies ? 1 : 0))
    // What was stopped is sent again.
    #expect(world.serverHost.inbox[SessionHandle(rawValue: 1)] == [[1, 2, 3]])
  }

  /// Both ways: the player hears the server from elsewhere, and whatever goes there is carried on.
  @Test func downward() {
    let (world, player, forwarder) = Self.joined()
    forwarder.downward = { $0.isServers ? .takes : .ignores }
    world.send([1, 2, 3], to: SessionHandle(rawValue: 1))
    world.run(for: .milliseconds(5))
    #expect(player.inbox == [[1, 2, 3]] && forwarder.sentOn == 1)
    // Nobody's host is there, and yet something that is sent there arrives.
    let count = player.host.traffic.datagramsReceived
    world.inject([9], from: NetworkAddress(ipv4: 203, 0, 113, 1, port: 1), to: forwarder.address)
    world.run(for: .seconds(1))
    #expect(forwarder.received >= 1 && forwarder.carriedBack == forwarder.received)
    #expect(player.host.traffic.datagramsReceived >= count)
    forwarder.carriesBack = false
    let carried = forwarder.carriedBack
    world.inject([9], from: NetworkAddress(ipv4: 203, 0, 113, 1, port: 1), to: forwarder.address)
    world.run(for: .seconds(1))
    #expect(forwarder.carriedBack == carried && forwarder.received > carried)
  }

  /// Who carries the server's challenges to the player and the answers back has proven that it receives where it is:
  /// the ledger does not complain of what follows.
  @Test func itProvesItsOwnAddress() {
    let (world, player, forwarder) = Self.joined()
    forwarder.upward = { _ in .takes }
    // Nothing else reaches the player, so nobody wins the session back.
    world.partition([player.host], .inbound)
    for i in 0..<100 {
      world.after(.milliseconds(20 * i)) { world in
        world.send([UInt8](repeating: 7, count: 500), to: SessionHandle(rawValue: 1))
        world.send([1], from: player)
      }
    }
    world.run(for: .seconds(4))
    let traffic = world.serverTraffic(with: forwarder.address)
    #expect(traffic.sent > 40_000 && forwarder.carriedBack > 50, "\(traffic)")
    #expect(player.inbox.count == 100)
    #expect(world.violations.isEmpty)
  }
}
