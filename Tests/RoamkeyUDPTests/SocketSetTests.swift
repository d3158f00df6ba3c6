import RoamkeyEngine
import RoamkeyWire
import TestSupport
import Testing

@testable import RoamkeyUDP

/// Several sockets in one loop, without a loop; time is made up.
@Suite(.realTime, .timeLimit(.minutes(40)))
struct SocketSetTests {
  private let start = Instant(nanoseconds: 1_000_000_000)
  private let peer: UDPSocket
  private let mailbox: Mailbox<EchoHandler>

  init() throws {
    peer = try UDPSocket(bind: .loopback(1))
    mailbox = try Mailbox(socket: peer)
  }

  @Test func whichSocketSends() throws {
    var poller = try Poller(bell: mailbox.bell.number)
    var statistics = SocketStatistics()
    let (first, second) = (try UDPSocket(bind: .any(port: 0)), try UDPSocket(bind: .any(port: 0)))
    var sockets = try SocketSet(main: first, poller: poller)
    let door = try UDPSocket(bind: .any(port: 0))
    let route = Route(source: .loopback(9), gateway: nil, interface: 1)
    try sockets.addDoor(door, by: route, &poller, &statistics)
    try sockets.renewMain(by: second, at: start, &poller, &statistics)

    // The main one: by no port or its own, with the source that is asked for.
    for port in [0, second.localAddress.port] {
      let main = sockets.departure(from: .loopback(7, port: port))
      #expect(main == .init(slot: 2, source: .loopback(7, port: port), interface: 0, mayChangeSource: true))
    }
    let old = sockets.departure(from: .loopback(7, port: first.localAddress.port))
    #expect(old.slot == 0 && old.source.ip == NetworkAddress.loopback(7).ip && !old.mayChangeSource)
    let through = sockets.departure(from: .any(port: door.localAddress.port))
    #expect(through == .init(slot: 1, source: route.source, interface: 1, mayChangeSource: false))
    let also = sockets.departure(from: .loopback(8, port: door.localAddress.port))
    #expect(also.slot == 1 && also.source.ip == NetworkAddress.loopback(8).ip && also.interface == 1)

    // One that is gone takes its source with it.
    sockets.closeOverdue(at: start + .seconds(3), &poller, &statistics)
    sockets.closeDoors(except: [], &poller, &statistics)
    let count = sockets.count
    #expect(count == 1)
    for port in [first.localAddress.port, door.localAddress.port] {
      let gone = sockets.departure(from: .loopback(7, port: port))
      #expect(gone == .init(slot: 2, source: .any(port: 0), interface: 0, mayChangeSource: true))
    }
  }

  /// In a flapping network old sockets go before their time, the oldest first.
  @Test func replacedSocketsAreBounded() throws {
    var poller = try Poller(bell: mailbox.bell.number)
    var statistics = SocketStatistics()
    var sockets = try SocketSet(main: UDPSocket(bind: .any(port: 0)), poller: poller)
    for i in 0..<4 {
      let route = Route(source: .loopback(9), gateway: nil, interface: UInt32(i + 1))
      try sockets.addDoor(UDPSocket(bind: .any(port: 0)), by: route, &poller, &statistics)
    }
    var ports: [UInt16] = [sockets.main.localAddress.port]
    for i in 0..<20 {
      let new = try UDPSocket(bind: .any(port: 0))
      try sockets.renewMain(by: new, at: start + .milliseconds(i), &poller, &statistics)
      ports.append(new.localAddress.port)
      let (count, named) = (sockets.count, sockets.departure(from: .any(port: ports[max(0, i - 7)])))
      #expect(count == min(i + 2, 9) + 4)
      // The eighth before this one is there still, the one before that is not.
      #expect(!named.mayChangeSource)
      if i >= 8 { #expect(sockets.departure(from: .any(port: ports[i - 8])).mayChangeSource) }
    }
    // An explicit change closes the old one at once.
    try sockets.replaceMain(by: UDPSocket(bind: .loopback(2)), &poller, &statistics)
    #expect(sockets.departure(from: .any(port: ports[20])).mayChangeSource)
    var next = sockets.nextClosing
    #expect(next == start + .milliseconds(12) + .seconds(3))
    sockets.closeOverdue(at: next, &poller, &statistics)
    var count = sockets.count
    #expect(count == 1 + 4 + 7)
    sockets.closeOverdue(at: start + .seconds(4), &poller, &statistics)
    (count, next) = (sockets.count, sockets.nextClosing)
    #expect(count == 5 && next == .distantFuture)
  }

  /// The ring keeps an order among sockets and sends each datagram from its own; what cannot leave as it was meant to,
  /// by a door or an old socket, is lost rather than seen with another address.
  @Test func eachFromItsOwn() throws {
    var poller = try Poller(bell: mailbox.bell.number)
    var statistics = SocketStatistics()
    let (main, door) = (try UDPSocket(bind: .any(port: 0)), try UDPSocket(bind: .any(port: 0)))
    var sockets = try SocketSet(main: main, poller: poller)
    try sockets.addDoor(
      door, by: Route(source: .loopback(9), gateway: nil, interface: 1), &poller, &statistics)
    let handler = EchoHandler(log: EchoHandler.Log(), echoes: false)
    let target = peer.localAddress
    let (byDoor, strange) = (door.localAddress.port, NetworkAddress(ipv4: 198, 51, 100, 7, port: 0))
    for i in 0..<5 {
      handler.send("main \(i)", to: target)
      handler.send("door \(i)", to: target, from: .any(port: byDoor))
      handler.send("door, lost", to: target, from: strange.with(port: byDoor))
      handler.send("main, helped", to: target, from: strange)
      handler.send("nobody's", to: target, from: strange.with(port: target.port))
    }
    var ring = SendRing()
    let isFull = ring.fill(from: handler, for: sockets, now: start, statistics: &statistics)
    let blocked = ring.flush(to: sockets, statistics: &statistics)
    #expect(!isFull && blocked == nil)
    #expect(statistics.datagramsSent == 20 && statistics.sourcesDropped == 5 && statistics.sendFailures.total == 5)

    let log = EchoHandler.Log()
    var received = ReceiveRing()
    _ = received.receive(from: peer, statistics: &statistics)
    _ = received.deliver(
      to: EchoHandler(log: log, echoes: false), limit: .max, now: start, statistics: &statistics)
    let round = [("main", false), ("door", true), ("main, helped", false), ("nobody's", false)]
    let expected = (0..<5).flatMap { i in
      round.map { text, isDoor in (text.count == 4 ? "\(text) \(i)" : text, isDoor) }
    }
    #expect(log.texts == expected.map(\.0))
    let remotes = log.received.withLock { $0.map(\.path.remote) }
    let addresses = (door: NetworkAddress.loopback(9, port: byDoor), main: main.localAddress.port)
    for (remote, (_, isDoor)) in zip(remotes, expected) {
      #expect(isDoor ? remote == addresses.door : remote.port == addresses.main && remote.ip != addresses.door.ip)
    }
  }

  /// What waits when its socket goes leaves from the main one; where that cannot reach it, it is counted.
  @Test func whatWaitsIsAddressedAnew() throws {
    var poller = try Poller(bell: mailbox.bell.number)
    var statistics = SocketStatistics()
    let (main, door) = (try UDPSocket(bind: .any(port: 0)), try UDPSocket(bind: .any(port: 0)))
    var sockets = try SocketSet(main: main, poller: poller)
    try sockets.addDoor(
      door, by: Route(source: .loopback(9), gateway: nil, interface: 1), &poller, &statistics)
    let handler = EchoHandler(log: EchoHandler.Log(), echoes: false)
    handler.send("a", to: peer.localAddress, from: .loopback(9, port: door.localAddress.port))
    handler.send("b", to: .loopback6(port: 9))
    var ring = SendRing()
    _ = ring.fill(from: handler, for: sockets, now: start, statistics: &statistics)
    sockets.closeDoors(except: [], &poller, &statistics)
    let four = try UDPSocket(bind: .any(port: 0), family: .ipv4)
    try sockets.replaceMain(by: four, &poller, &statistics)
    ring.readdress(for: sockets, statistics: &statistics)
    let blocked = ring.flush(to: sockets, statistics: &statistics)
    #expect(blocked == nil && ring.isEmpty)
    #expect(statistics.datagramsSent == 1 && statistics.sendFailures.unreachable == 1)
    let log = EchoHandler.Log()
    var received = ReceiveRing()
    _ = received.receive(from: peer, statistics: &statistics)
    _ = received.deliver(
      to: EchoHandler(log: log, echoes: false), limit: .max, now: start, statistics: &statistics)
    #expect(log.texts == ["a"])
    #expect(log.received.withLock { $0[0].path.remote } == .loopback(1, port: four.localAddress.port))
  }

  /// At once for a burst, then evenly; a quiet while gives the burst back.
  @Test func looksAreSpaced() {
    var budget = LookBudget()
    var looks: [Instant] = []
    for millisecond in 0..<1000 {
      let now = start + .milliseconds(millisecond)
      guard budget.next <= now else { continue }
      budget.spend(at: now)
      looks.append(now)
    }
    #expect(looks.prefix(8) == (0..<8).map { start + .milliseconds($0) }[...])
    #expect(looks.count == 8 + 1000 / 50 - 1)
    #expect(zip(looks.dropFirst(8), looks.dropFirst(9)).allSatisfy { $1 - $0 == LookBudget.pause })
    let later = start + .seconds(10)
    for _ in 0..<8 {
      #expect(budget.next <= later)
      budget.spend(at: later)
    }
    #expect(budget.next == later + LookBudget.pause)
  }
}
