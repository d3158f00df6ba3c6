import RoamkeyEngine
import RoamkeyWire
import TestSupport
import Testing

@testable import RoamkeyUDP

/// A player's machine, a server's, and one or two cables between them; the player moves.
@Suite(
  .realTime, .timeLimit(.minutes(40)),
  .enabled(if: TestMachine.isPermitted, "network namespaces need root and iproute2 (`ip netns add`)"))
struct NetworkMoveTests {
  /// Another router, the same address: nothing in the address tells, and yet it may be another network.
  @Test func anotherGatewayWithTheSameSource() async throws {
    let net = try Net()
    try net.player.ip("route add default via 10.0.1.1")
    let echo = try net.makeClient(watches: "203.0.113.1")
    try await eventually("the baseline is told") { echo.log.view != nil }
    let first = try #require(echo.log.view)
    let index = try net.player.index(of: "wifi")
    #expect(
      try first.routes == [Route(source: .host("10.0.1.2"), gateway: .host("10.0.1.1"), interface: index)])
    #expect(try first.addresses == [.host("10.0.1.2")] && first.doors.isEmpty)
    #expect(first.socket == echo.driver.localAddress && echo.driver.statistics.socketsRenewed == 0)

    try net.player.ip("route replace default via 10.0.1.254")
    try await eventually("the move is told") {
      echo.log.view?.routes.first??.gateway == NetworkAddress(ipv4: 10, 0, 1, 254, port: 0)
    }
    let second = try #require(echo.log.view)
    #expect(second.socket.port != first.socket.port && second.socket.isUnspecified)
    try await eventually("the driver shows it") { echo.driver.localAddress == second.socket }
    #expect(echo.driver.statistics.socketsRenewed == 1 && echo.log.views.withLock { $0.count } == 2)
    #expect(echo.driver.statistics.networkChanges == 2 && echo.driver.statistics.watchesNetworks)

    // What names no socket leaves from the new one; what names the old one, from the old one.
    let target = net.serverAddress
    echo.driver.perform { handler, _ in
      handler.send("new", to: target)
      handler.send("old", to: target, from: NetworkAddress(ipv4: 10, 0, 1, 2, port: first.socket.port))
    }
    try await eventually("both are answered") { echo.log.texts.sorted() == ["new", "old"] }
    let seen = net.server.log.received.withLock { $0.map { ($0.bytes, $0.path.remote.port) } }
    #expect(seen.first { $0.0 == Array("new".utf8) }?.1 == second.socket.port)
    #expect(seen.first { $0.0 == Array("old".utf8) }?.1 == first.socket.port)
    let ports = echo.log.received.withLock { Set($0.map(\.path.local)) }
    #expect(
      try ports == [
        .host("10.0.1.2").with(port: first.socket.port), .host("10.0.1.2").with(port: second.socket.port),
      ])
  }

  /// A replaced socket closes; what then still names it leaves from the main one, without the address beside it.
  @Test func aReplacedSocketStaysForThreeSeconds() async throws {
    let net = try Net()
    try net.player.ip("route add default via 10.0.1.1")
    let echo = try net.makeClient(watches: "203.0.113.1")
    try await eventually("the baseline is told") { echo.log.view != nil }
    let old = try #require(echo.log.view).socket.port
    try net.player.ip("addr add 10.0.1.7/24 dev wifi\nroute replace default via 10.0.1.254 src 10.0.1.7")
    try await eventually("it is renewed") { echo.driver.statistics.socketsRenewed == 1 }
    let moved = ContinuousClock.now
    let (driver, target) = (echo.driver, net.serverAddress)
    var sent = 0
    var firstSent = Duration.zero
    try await eventually("the old socket closes") {
      // At least 10 ms apart: each look of `eventually` is a millisecond from the next.
      sent += 1
      if sent % 10 == 0 {
        if sent == 10 { firstSent = ContinuousClock.now - moved }
        driver.perform { handler, _ in
          handler.send("x", to: target, from: NetworkAddress(ipv4: 10, 0, 1, 2, port: old))
        }
      }
      return net.server.log.received.withLock { $0.last?.path.remote.port ?? old } != old
    }
    #expect((.seconds(2)..<(.seconds(20))).contains(ContinuousClock.now - moved))
    let last = try #require(net.server.log.received.withLock { $0.last?.path.remote })
    #expect(last == NetworkAddress(ipv4: 10, 0, 1, 7, port: echo.driver.localAddress.port))
    // On a machine that stood still meanwhile it was closed before anything could leave by it.
    if firstSent < .seconds(2) {
      let first = try #require(net.server.log.received.withLock { $0.first?.path.remote })
      #expect(try first.ip == NetworkAddress.host("10.0.1.2").ip)
    }
  }

  @Test func oneAddressGoesAndAnotherComes() async throws {
    let net = try Net()
    try net.player.ip("route add default via 10.0.1.1")
    let echo = try net.makeClient(watches: "203.0.113.1", "10.0.1.1")
    try await eventually("the baseline is told") { echo.log.view?.routes.allSatisfy { $0 != nil } == true }
    let first = try #require(echo.log.view)
    try net.player.ip("addr del 10.0.1.2/24 dev wifi")
    try await eventually("there is no network") {
      echo.log.view?.routes == [nil, nil] && echo.log.view?.addresses == []
    }
    // Whatever comes next, nothing will have left by this one on another network.
    let lost = try #require(echo.log.view)
    #expect(lost.socket != first.socket)
    try net.player.ip("addr add 10.0.1.3/24 dev wifi\nroute add default via 10.0.1.1")
    try await eventually("there is another one") {
      echo.log.view?.routes.first??.source == NetworkAddress(ipv4: 10, 0, 1, 3, port: 0)
    }
    #expect(try echo.log.view?.addresses == [.host("10.0.1.3")])
    #expect(echo.log.view?.socket == lost.socket)
    try await eventually("once") { echo.driver.statistics.socketsRenewed == 1 }
    let target = net.serverAddress
    echo.driver.perform { handler, _ in handler.send("here", to: target) }
    try await eventually("it arrives") { echo.log.texts == ["here"] }
  }

  /// The same network, before and after: the handler hears of both. Each loss brings one new socket, the return none.
  /// Once the interface is switched off, once its cable is pulled, of which the system's routes tell nothing.
  @Test(arguments: ["switched off", "unplugged"])
  func anInterfaceGoesAndComesBack(_ how: String) async throws {
    let net = try Net()
    let echo = try net.makeClient(watches: "10.0.1.1")
    try await eventually("the baseline is told") { echo.log.view?.routes.first.flatMap(\.self) != nil }
    let first = try #require(echo.log.view)
    let (machine, interface) = how == "unplugged" ? (net.remote, "wifi") : (net.player, "wifi")
    for round in 1...2 {
      let before = echo.log.view?.socket
      try machine.ip("link set \(interface) down")
      try await eventually("it is down") { echo.log.view?.routes == [nil] && echo.log.view?.addresses == [] }
      let lost = try #require(echo.log.view)
      #expect(lost.socket != before)
      try machine.ip("link set \(interface) up")
      try await eventually("it is back") { echo.log.view?.routes == first.routes }
      let back = try #require(echo.log.view)
      #expect(back.socket == lost.socket && back.addresses == first.addresses && back.doors == [])
      try await eventually("one each time") { echo.driver.statistics.socketsRenewed == UInt64(round) }
    }
    try await eventually("the driver shows it") { echo.driver.localAddress == echo.log.view?.socket }
  }

  @Test func anIPv6AddressAppears() async throws {
    let net = try Net()
    try net.remote.ip("addr add 2001:db8::1/64 dev wifi nodad")
    let echo = try net.makeClient(watches: "10.0.1.1", "2001:db8::1")
    try await eventually("the baseline is told") { echo.log.view != nil }
    #expect(echo.log.view?.routes.count == 2 && echo.log.view?.routes[1] == nil)
    try net.player.ip("addr add 2001:db8::2/64 dev wifi nodad\naddr add fe80::2/64 dev wifi nodad")
    let index = try net.player.index(of: "wifi")
    let source = try NetworkAddress.host("2001:db8::2")
    var local = try NetworkAddress.host("fe80::2")
    local.scope = index
    try await eventually("it is told") { [local] in echo.log.view?.addresses.contains(local) == true }
    let view = try #require(echo.log.view)
    #expect(Set(view.addresses) == [source, local, try .host("10.0.1.2")])
    #expect(view.routes[1] == Route(source: source, gateway: nil, interface: index))
    // The way to the first one is as before.
    #expect(echo.driver.statistics.socketsRenewed == 0)

    // One that is on its way out is told no more; without any, only a link-local one is left to send from, to which
    // nobody behind a router can answer.
    try net.player.ip("addr change 2001:db8::2/64 dev wifi nodad preferred_lft 0")
    try await eventually("it is gone") { echo.log.view?.addresses.contains(source) == false }
    try net.player.ip("addr del 2001:db8::2/64 dev wifi\nroute add 2001:db8::/64 dev wifi")
    try await eventually("there is no way") { echo.log.view?.routes[1] == nil }
    try await Task.sleep(for: .milliseconds(200))
    #expect(echo.log.view?.routes[1] == nil && echo.log.view?.addresses.contains(local) == true)
  }

  /// A new address of the server's is a new baseline: no reason for a new socket.
  @Test func anotherWatchedAddress() async throws {
    let net = try Net()
    try net.addCable()
    let echo = try net.makeClient(watches: "10.0.1.1")
    try await eventually("the baseline is told") { echo.log.view?.routes.first.flatMap(\.self) != nil }
    let (socket, other) = (echo.log.view?.socket, NetworkAddress(ipv4: 10, 0, 2, 1, port: 9))
    echo.driver.perform { handler, _ in handler.watchedAddresses = [other] }
    try await eventually("the new one is told") {
      echo.log.view?.routes.first??.source == NetworkAddress(ipv4: 10, 0, 2, 2, port: 0)
    }
    #expect(echo.log.view?.socket == socket && echo.driver.statistics.socketsRenewed == 0)
    echo.driver.perform { handler, _ in handler.watchedAddresses = [] }
    try await eventually("none is told") { echo.log.view?.routes == [] }
    let count = echo.log.views.withLock { $0.count }
    try net.player.ip("addr add 10.0.1.9/24 dev wifi")
    echo.driver.perform { handler, _ in handler.watchedAddresses = [other] }
    try await eventually("what happened meanwhile is seen") { echo.log.view?.addresses.count == 3 }
    #expect(echo.log.views.withLock { $0.count } == count + 1)
  }
}
