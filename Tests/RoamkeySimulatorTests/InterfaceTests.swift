import RoamkeyEngine
import RoamkeyWire
import Testing

@testable import RoamkeySimulator

/// Hosts on several networks, and what their processes are told of these.
@Suite struct InterfaceTests {
  private static let friend = NetworkAddress(ipv4: 203, 0, 113, 9, port: 9)
  private static let friend6 = NetworkAddress(ip: 0x2001_0db8_ffff << 80 | 9, port: 9)

  private static func world() -> SimulatedWorld { SimulatedWorld(seed: 1) }

  /// What listeners heard: from where, and what.
  private final class Log {
    var lines: [(source: NetworkAddress, text: String)] = []
    func hear(_ addresses: NetworkAddress..., in world: SimulatedWorld) {
      for address in addresses {
        world.hear(address) { self.lines.append(($0.source, String(decoding: $0.bytes, as: UTF8.self))) }
      }
    }
  }

  // MARK: Views

  @Test func theFirstView() throws {
    let world = Self.world()
    let recorder = RecordingHost(in: world, index: 7)
    let second = recorder.plugIn(.both)
    recorder.endpoint.watchedAddresses = [Self.friend, Self.friend6]
    world.run(for: .milliseconds(1))
    let view = try #require(recorder.views.first)
    let first = recorder.host.interfaces[0]
    #expect(recorder.views.count == 1)
    #expect(view.addresses.map(\.ip) == (first.attachments + second.attachments).map(\.ip).sorted())
    #expect(view.addresses.allSatisfy { $0.port == 0 } && view.addresses.count == 3)
    // IPv4 as the system prefers; IPv6 where there is some.
    #expect(view.routes.map { $0?.interface } == [2, 3])
    #expect(view.routes.map { $0?.source.ip } == [first.inside.ip, second.attachment(.ipv6)?.ip])
    #expect(view.socket == .any(port: 40_000))
    #expect(view.doors == [try #require(second.inside(.ipv4))] && second.door != nil)
    #expect(view.doors[0].port != 40_000)
    // Nothing new, nothing told.
    world.notice(recorder.host)
    world.run(for: .seconds(1))
    #expect(recorder.views.count == 1)
    recorder.endpoint.watchedAddresses = [Self.friend6]
    world.touch(recorder.host)
    world.run(for: .milliseconds(1))
    #expect(recorder.views.count == 2 && recorder.views[1].routes.map { $0?.interface } == [3])
    #expect(recorder.views[1].doors.isEmpty, "no other interface has IPv6")
  }

  /// Without a network of the family there is no way, and nothing leaves.
  @Test func families() {
    let world = Self.world()
    let log = Log()
    log.hear(Self.friend, Self.friend6, in: world)
    let recorder = RecordingHost(in: world, index: 7, .ipv6)
    recorder.endpoint.watchedAddresses = [Self.friend, Self.friend6]
    recorder.send("four", to: Self.friend)
    recorder.send("six", to: Self.friend6)
    #expect(log.lines.map(\.text) == ["six"] && recorder.host.unroutableDatagrams == 1)
    #expect(recorder.views.last?.routes.map { $0 != nil } == [false, true])
    world.move(recorder.host.interface, .ipv4)
    recorder.send("four", to: Self.friend)
    recorder.send("six", to: Self.friend6)
    #expect(log.lines.map(\.text) == ["six", "four"] && recorder.host.unroutableDatagrams == 2)
    #expect(log.lines[1].source == recorder.host.outside && recorder.host.outside.isIPv4)
    #expect(recorder.views.last?.routes.map { $0 != nil } == [true, false])
  }

  /// A server with addresses of both families hears both, at the address that each reached.
  @Test func bothFamiliesReachAServer() throws {
    let world = SimulatedWorld(seed: 2, families: .both)
    let four = world.addPlayer(conditions: .local)
    let six = world.addPlayer(conditions: .local, families: .ipv6)
    let address = try #require(world.serverHost.interface.outside(.ipv6))
    #expect(world.serverAddresses == [SimulatedWorld.serverAddress, address])
    world.connect(four)
    world.connect(six, to: [address])
    world.run(for: .seconds(1))
    for player in [four, six] {
      #expect(player.host.events.contains { if case .joined = $0 { true } else { false } })
    }
    #expect(four.host.outside.isIPv4 && !six.host.outside.isIPv4 && world.violations.isEmpty)
  }

  // MARK: Sockets

  /// A new way begins with a new port. What arrives at the old one is read for three seconds, where its address is.
  @Test func theOldSocketIsReadALittleLonger() throws {
    let world = Self.world()
    let recorder = RecordingHost(in: world, index: 7)
    let second = recorder.plugIn()
    recorder.endpoint.watchedAddresses = [Self.friend]
    world.run(for: .milliseconds(1))
    let (old, door) = (recorder.host.outside, second.outside)
    world.prefer(second)
    let new = recorder.host.outside
    #expect(recorder.views.last?.socket.port == new.port && new.port != old.port && new.port != door.port)
    #expect(new.ip == second.inside.ip && recorder.views.last?.routes[0]?.interface == 3)
    let first = recorder.host.interfaces[0]
    // The door of before stays, and another one is opened to the network of before.
    #expect(recorder.views.last?.doors == [first.inside, door] && first.door != nil && second.door == door.port)
    for (address, text) in [(old, "old"), (new, "new"), (first.outside, "door"), (door, "old door")] {
      world.inject(Array(text.utf8), from: Self.friend, to: address, after: .milliseconds(2900))
      world.inject(Array(("late " + text).utf8), from: Self.friend, to: address, after: .milliseconds(3100))
    }
    world.run(for: .seconds(4))
    #expect(recorder.endpoint.mail == ["old", "new", "door", "old door", "late new", "late door", "late old door"])
    let locals = recorder.endpoint.received.map(\.path.local)
    #expect(locals == [old, new, first.inside, door, new, first.inside, door])
    #expect(world.strayDatagrams == 1)
    // With its network a door is gone.
    let closed = first.outside
    world.set(first, .down)
    #expect(recorder.views.last?.doors == [door])
    world.inject([1], from: Self.friend, to: closed)
    world.run(for: .seconds(1))
    #expect(recorder.endpoint.received.count == 7)
  }

  /// A socket that was replaced still sends, from the address that it had and from no other.
  @Test func theOldSocketSends() {
    let world = Self.world()
    let log = Log()
    log.hear(Self.friend, in: world)
    let recorder = RecordingHost(in: world, index: 7)
    let second = recorder.plugIn()
    recorder.endpoint.watchedAddresses = [Self.friend]
    world.run(for: .milliseconds(1))
    let old = recorder.host.inside
    world.prefer(second)
    recorder.send("there", to: Self.friend, from: old)
    world.set(recorder.host.interfaces[0], .down)
    recorder.send("gone", to: Self.friend, from: old)
    #expect(log.lines.map(\.text) == ["there"] && log.lines[0].source == old)
    #expect(recorder.host.unroutableDatagrams == 1)
    // A socket that is closed is none: the main one sends.
    world.run(for: .seconds(3))
    world.notice(recorder.host)
    recorder.send("closed", to: Self.friend, from: old)
    #expect(log.lines.map(\.text) == ["there", "closed"] && log.lines[1].source == recorder.host.outside)
  }

  /// A datagram that names a door leaves through it; any other as the system has it.
  @Test func doors() throws {
    let world = Self.world()
    let log = Log()
    log.hear(Self.friend, in: world)
    let recorder = RecordingHost(in: world, index: 7)
    let second = recorder.plugIn()
    recorder.endpoint.watchedAddresses = [Self.friend]
    world.run(for: .milliseconds(1))
    recorder.send("door", to: Self.friend, from: second.inside)
    recorder.send("any", to: Self.friend)
    // The main socket sends from the address that is named; a door from no other than its own.
    let address = NetworkAddress(ip: second.inside.ip, port: recorder.host.port)
    recorder.send("address", to: Self.friend, from: address)
    recorder.send("no port", to: Self.friend, from: NetworkAddress(ip: address.ip, port: 0))
    recorder.send("closed", to: Self.friend, from: NetworkAddress(ip: address.ip, port: 1))
    recorder.send("false", to: Self.friend, from: NetworkAddress(ip: recorder.host.inside.ip, port: second.inside.port))
    let usual = recorder.host.outside
    #expect(log.lines.map(\.text) == ["door", "any", "address", "no port", "closed"])
    #expect(log.lines.map(\.source) == [second.outside, usual, address, address, usual])
    #expect(second.outside != usual && second.outside != address)
    // There are four at most.
    for _ in 0..<5 { _ = recorder.plugIn() }
    world.notice(recorder.host)
    #expect(recorder.views.last?.doors.count == 4 && recorder.host.interfaces.count { $0.door != nil } == 4)
  }

  /// A socket for all, as a server's: it answers from the address that was reached, for as long as it has it.
  @Test func aServersSocket() {
    let world = Self.world()
    let log = Log()
    log.hear(Self.friend, in: world)
    let recorder = RecordingHost(in: world, index: 7, renewsPort: false)
    let second = recorder.plugIn()
    recorder.endpoint.watchedAddresses = [Self.friend]
    world.run(for: .milliseconds(1))
    let reached = second.inside
    #expect(reached.port == 7447 && recorder.views.last?.doors == [])
    recorder.send("reached", to: Self.friend, from: reached)
    recorder.send("any", to: Self.friend)
    world.set(second, .down)
    recorder.send("gone", to: Self.friend, from: reached)
    let first = recorder.host.outside
    #expect(log.lines.map(\.source) == [reached, first, first])
    world.move(recorder.host.interface)
    #expect(recorder.host.outside.port == 7447 && recorder.views.last?.socket.port == 7447)
    #expect(recorder.views.last?.addresses == [NetworkAddress(ip: recorder.host.inside.ip, port: 0)])
  }

  // MARK: Interfaces that come and go

  /// A silent interface takes everything and passes on nothing; one that is down is not there.
  @Test func silentAndDown() {
    let world = Self.world()
    let log = Log()
    log.hear(Self.friend, in: world)
    let recorder = RecordingHost(in: world, index: 7)
    let second = recorder.plugIn()
    recorder.endpoint.watchedAddresses = [Self.friend]
    world.run(for: .milliseconds(1))
    let first = recorder.host.interfaces[0]
    let views = recorder.views.count
    recorder.host.isUp = false
    recorder.send("silence", to: Self.friend)
    recorder.send("door", to: Self.friend, from: second.inside)
    world.inject([1], from: Self.friend, to: first.outside)
    world.run(for: .milliseconds(1))
    #expect(log.lines.map(\.text) == ["door"] && recorder.views.count == views)
    #expect(recorder.endpoint.received.isEmpty && first.state == .silent)

    world.set(first, .down)
    #expect(recorder.views.last?.routes[0]?.interface == 3 && recorder.views.last?.addresses.count == 1)
    recorder.send("by the other", to: Self.friend)
    world.set(second, .down)
    recorder.send("nowhere", to: Self.friend)
    #expect(recorder.views.last?.routes == [nil] && recorder.views.last?.addresses == [])
    #expect(recorder.host.unroutableDatagrams == 1)
    let port = recorder.host.port
    world.set(first, .up)
    recorder.send("again", to: Self.friend)
    #expect(log.lines.map(\.text) == ["door", "by the other", "again"])
    #expect(log.lines[2].source.ip == first.outside.ip && recorder.host.port != port)
  }

  /// The same network comes back: nothing to renew.
  @Test func theSameWayNeedsNoNewSocket() {
    let world = Self.world()
    let recorder = RecordingHost(in: world, index: 7)
    recorder.endpoint.watchedAddresses = [Self.friend]
    world.run(for: .milliseconds(1))
    world.set(recorder.host.interface, .down)
    world.set(recorder.host.interface, .up)
    #expect(recorder.views.count == 3 && recorder.views[0] == recorder.views[2])
    #expect(recorder.host.port == 40_000)
  }

  /// A move that the host cannot see is one of its router's: others see another address. What is under way to the old
  /// one is lost.
  @Test(arguments: [false, true])
  func aMoveThatIsNotNoticed(isBehindNAT: Bool) {
    let world = Self.world()
    let recorder = RecordingHost(in: world, index: 7)
    recorder.endpoint.watchedAddresses = [Self.friend]
    let first = world.addNAT()
    if isBehindNAT { world.connect(recorder.host.interface, behind: first) }
    recorder.send("before", to: Self.friend)
    let (inside, outside, views) = (recorder.host.inside, recorder.host.outside, recorder.views.count)
    world.setConditions(NetworkConditions(delay: .milliseconds(10)), of: recorder.host)
    world.inject([1], from: Self.friend, to: outside)
    world.run(for: .milliseconds(1))
    #expect(recorder.endpoint.received.count == 1)
    world.move(recorder.host.interface, isNoticed: false, behind: isBehindNAT ? world.addNAT() : nil)
    recorder.send("after", to: Self.friend)
    #expect(recorder.host.inside == inside && recorder.views.count == views)
    #expect(recorder.host.outside.ip != outside.ip)
    world.inject([2], from: Self.friend, to: outside)
    world.run(for: .seconds(1))
    #expect(recorder.endpoint.received.count == 1)
    world.inject([3], from: Self.friend, to: recorder.host.outside)
    world.run(for: .seconds(1))
    #expect(recorder.endpoint.received.count == 2 && recorder.endpoint.received[1].path.local == inside)
  }

  /// What is in the air when its receiver leaves does not reach it elsewhere, even at the same address.
  @Test func whatIsInTheAirIsLost() {
    let world = Self.world()
    let (a, b) = (RecordingHost(in: world, index: 7), RecordingHost(in: world, index: 8))
    world.setConditions(NetworkConditions(delay: .milliseconds(10)), of: b.host)
    a.endpoint.send("one", to: b.host.outside)
    world.touch(a.host)
    world.run(for: .milliseconds(5))
    world.move(b.host.interface, toPlace: 0)
    a.send("two", to: b.host.outside)
    world.run(for: .seconds(1))
    #expect(b.endpoint.mail == ["two"] && world.strayDatagrams == 1)
  }

  /// Who stands still is told when it runs again; its port changes then and not before.
  @Test func whoStandsStillIsToldLater() {
    let world = Self.world()
    let recorder = RecordingHost(in: world, index: 7)
    recorder.endpoint.watchedAddresses = [Self.friend]
    world.run(for: .milliseconds(1))
    world.suspend(recorder.host, for: .seconds(1))
    world.move(recorder.host.interface)
    #expect(recorder.views.count == 1 && recorder.host.port == 40_000)
    world.inject([1], from: Self.friend, to: recorder.host.outside)
    world.run(for: .seconds(2))
    #expect(recorder.views.count == 2 && recorder.host.port != 40_000 && recorder.endpoint.received.count == 1)
    #expect(recorder.views[1].addresses.map(\.ip) == [recorder.host.inside.ip])
  }

  /// A router lets in to an open port whoever comes; elsewhere only those who were written to.
  @Test func anOpenPort() {
    let world = Self.world()
    let recorder = RecordingHost(in: world, index: 7, renewsPort: false)
    let nat = world.addNAT()
    world.connect(recorder.host.interface, behind: nat)
    let outside = NetworkAddress(ip: nat.address.ip, port: 7447)
    world.inject([1], from: Self.friend, to: outside)
    world.run(for: .seconds(1))
    #expect(recorder.endpoint.received.isEmpty && nat.statistics.unmapped == 1)
    world.openPort(of: recorder.host)
    world.inject([1], from: Self.friend, to: outside)
    world.run(for: .seconds(1))
    #expect(recorder.endpoint.received.count == 1)
    let log = Log()
    log.hear(Self.friend, in: world)
    recorder.send("answer", to: Self.friend, from: recorder.host.inside)
    nat.forget()
    recorder.send("again", to: Self.friend)
    #expect(log.lines.map(\.source) == [outside, outside] && recorder.host.outside == outside)
    // Who has left does not get it any more.
    world.move(recorder.host.interface)
    world.inject([1], from: Self.friend, to: outside)
    world.run(for: .seconds(1))
    #expect(recorder.endpoint.received.count == 1 && world.strayDatagrams == 1)
  }
}
