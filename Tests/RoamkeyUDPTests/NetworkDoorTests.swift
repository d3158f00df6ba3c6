import Foundation
import RoamkeyEngine
import RoamkeyWire
import TestSupport
import Testing

@testable import RoamkeyUDP

/// A player's machine with two networks: the system prefers one, and the other stays at hand.
@Suite(
  .realTime, .timeLimit(.minutes(40)),
  .enabled(if: TestMachine.isPermitted, "network namespaces need root and iproute2 (`ip netns add`)"))
struct NetworkDoorTests {
  /// What leaves through a door leaves by its interface, with its source; answers come back to it. IPv6 takes an
  /// interface beside a datagram for a wish only: the preferred route must not win.
  @Test(arguments: [false, true])
  func aDoorLeadsThroughTheOtherInterface(_ isIPv6: Bool) async throws {
    let net = try Net()
    try net.addCable()
    try net.addRoutes(isIPv6)
    let host = isIPv6 ? "2001:db8:ff::1" : "203.0.113.1"
    let echo = try net.makeClient(watches: host)
    try await eventually("the baseline is told") { echo.log.view?.doors.count == 1 }
    let view = try #require(echo.log.view)
    let door = try #require(view.doors.first)
    let (near, far) = isIPv6 ? ("2001:db8:1::2", "2001:db8:2::2") : ("10.0.1.2", "10.0.2.2")
    #expect(try door == .host(far).with(port: door.port) && door.port != 0 && door.port != view.socket.port)
    #expect(try view.routes.first??.source == .host(near))
    try await eventually("it is counted") { echo.driver.statistics.doors == 1 }

    let before = try net.player.packetsSent(through: "lte")
    let target = try NetworkAddress.host(host).with(port: net.serverAddress.port)
    echo.driver.perform { handler, _ in
      for i in 0..<100 {
        handler.send("main \(i)", to: target)
        handler.send("door \(i)", to: target, from: door)
        handler.send("either \(i)", to: target, from: .any(port: door.port))
      }
    }
    try await eventually("all are answered") { echo.log.texts.count == 300 }
    let main = try NetworkAddress.host(near).with(port: view.socket.port)
    for (bytes, path) in net.server.log.received.withLock({ $0 }) {
      #expect(path.remote == (String(decoding: bytes, as: UTF8.self).hasPrefix("main") ? main : door))
    }
    for (bytes, path) in echo.log.received.withLock({ $0 }) {
      #expect(path.local == (String(decoding: bytes, as: UTF8.self).hasPrefix("main") ? main : door))
    }
    #expect(try net.player.packetsSent(through: "lte") - before >= 200)
    #expect(echo.driver.statistics.sendFailures.total == 0 && echo.driver.statistics.sourcesDropped == 0)
  }

  /// It stays, with its port, when the system comes to prefer its interface; the one that was preferred becomes a door
  /// where it still leads to the server.
  @Test func aDoorStaysWhenItsInterfaceIsPreferred() async throws {
    let net = try Net()
    try net.addCable()
    try net.addRoutes(false)
    let echo = try net.makeClient(watches: "203.0.113.1")
    try await eventually("there is a door") { echo.log.view?.doors.count == 1 }
    let first = try #require(echo.log.view)
    try net.player.ip("route add default via 10.0.2.1 metric 5")
    try await eventually("it is moved") { echo.log.view?.doors.count == 2 }
    let second = try #require(echo.log.view)
    #expect(second.doors.contains(first.doors[0]) && second.socket != first.socket)
    #expect(try second.doors.contains { try $0.ip == NetworkAddress.host("10.0.1.2").ip })
    #expect(second.routes.first??.source.ip == first.doors[0].ip)
    // And back: the door that had been the main way goes, that through the other interface still stays.
    try net.player.ip("route del default via 10.0.2.1 metric 5")
    try await eventually("it is back") { echo.log.view?.routes == first.routes }
    try await eventually("doors are as they were, or more") { echo.log.view?.doors.contains(first.doors[0]) == true }
    #expect(echo.driver.statistics.socketsRenewed == 2)
  }

  /// What makes a door go, each followed by what brings another one, with a new port.
  @Test(arguments: [
    ("addr del 10.0.2.2/24 dev lte", "addr add 10.0.2.2/24 dev lte\nroute add default via 10.0.2.1 metric 200"),
    ("route del default via 10.0.2.1 metric 200", "route add default via 10.0.2.1 metric 200"),
    ("link set lte down", "link set lte up\nroute add default via 10.0.2.1 metric 200"),
    ("route add unreachable 203.0.113.1", "route del unreachable 203.0.113.1"),
  ])
  func aDoorGoesWithItsWay(_ breaks: String, _ mends: String) async throws {
    let net = try Net()
    try net.addCable()
    try net.addRoutes(false)
    let echo = try net.makeClient(watches: "203.0.113.1")
    try await eventually("there is a door") { echo.log.view?.doors.count == 1 }
    let first = try #require(echo.log.view)
    try net.player.ip(breaks)
    try await eventually("it is gone") { echo.log.view?.doors == [] }
    try await eventually("it is counted") { echo.driver.statistics.doors == 0 }
    // What names it leaves from the main socket (a new one, where no way at all is left), and without its address.
    let last = try #require(echo.log.view).socket
    let target = NetworkAddress(ipv4: 10, 0, 1, 1, port: net.serverAddress.port)
    echo.driver.perform { handler, _ in handler.send("late", to: target, from: first.doors[0]) }
    try await eventually("it arrives") { echo.log.texts == ["late"] }
    #expect(
      try echo.log.received.withLock { $0[0].path.local } == .host("10.0.1.2").with(port: last.port))
    try net.player.ip(mends)
    try await eventually("there is another one") { echo.log.view?.doors.count == 1 }
    #expect(echo.log.view?.doors.first?.ip == first.doors[0].ip && echo.log.view?.doors != first.doors)
  }

  /// Who sends everything through a tunnel does not want to be seen beside it: not while it is up, though there would be
  /// ways, nor when it has failed and the system knows none.
  @Test(.enabled(if: access("/dev/net/tun", R_OK | W_OK) == 0, "tunnels need /dev/net/tun"))
  func noDoorAroundATunnel() async throws {
    let net = try Net()
    try net.addCable()
    try net.addRoutes(false)
    let echo = try net.makeClient(watches: "203.0.113.1")
    try await eventually("there is a door") { echo.log.view?.doors.count == 1 }
    let tunnel = try net.player.openTunnel("vpn0")
    defer { close(tunnel) }
    try net.player.ip("link set vpn0 up\naddr add 10.8.0.2/24 dev vpn0")
    // As usual for those: everything but what the tunnel itself sends is sent to a table of its own.
    try net.player.ip("route add default dev vpn0 table 77\nrule add pref 100 not fwmark 5 lookup 77")
    try await eventually("the way leads through it") {
      (try? echo.log.view?.routes.first??.source == .host("10.8.0.2")) == true
    }
    #expect(echo.log.view?.doors == [])
    try net.player.ip("route replace unreachable default table 77")
    try await eventually("there is no way") { echo.log.view?.routes == [nil] }
    #expect(echo.log.view?.doors == [])
    try net.player.ip("rule del pref 100")
    try await eventually("there is a door again") { echo.log.view?.doors.count == 1 }
  }

  /// Told to use an interface, Linux takes any IPv4 destination for a neighbour: that is no way.
  @Test func noDoorWithoutARoute() async throws {
    let net = try Net()
    try net.addCable()
    try net.player.ip("route add default via 10.0.1.1")
    let echo = try net.makeClient(watches: "203.0.113.1", "10.0.2.1")
    try await eventually("the baseline is told") { echo.log.view != nil }
    #expect(echo.log.view?.doors == [] && echo.log.view?.addresses.count == 2)
    #expect(echo.log.view?.routes.allSatisfy { $0 != nil } == true)
  }

  /// A server keeps its socket, and has no doors; so does a client that is bound to one address. Both are told.
  @Test(arguments: [(Mobility.host, "::"), (.client, "10.0.1.2")])
  func whoseSocketStays(_ mobility: Mobility, _ bound: String) async throws {
    let net = try Net()
    try net.addCable()
    try net.addRoutes(false)
    let echo = try net.makeClient(mobility, bind: .host(bound), watches: "203.0.113.1")
    try await eventually("the baseline is told") { echo.log.view != nil }
    let first = try #require(echo.log.view)
    try net.player.ip("route replace default via 10.0.1.254 metric 100")
    try await eventually("the change is told") { echo.log.view?.routes != first.routes }
    #expect(echo.log.view?.socket == first.socket && echo.log.view?.doors == [] && first.doors.isEmpty)
    #expect(echo.driver.statistics.socketsRenewed == 0 && echo.driver.localAddress == first.socket)
  }

  /// An explicit choice of a socket: doors and renewal end with one of a single address, and begin with one of all.
  @Test func rebinding() async throws {
    let net = try Net()
    try net.addCable()
    try net.addRoutes(false)
    let echo = try net.makeClient(watches: "203.0.113.1")
    try await eventually("there is a door") { echo.log.view?.doors.count == 1 }
    let first = try #require(echo.log.view)
    let (driver, target) = (echo.driver, net.serverAddress)
    try net.player.inside { try driver.rebind(to: .host("10.0.1.2")) }
    try await eventually("the new one is told") { echo.log.view?.socket == driver.localAddress }
    #expect(echo.log.view?.doors == [] && echo.log.view?.socket.isUnspecified == false)
    try net.player.inside { try driver.rebind(to: .any(port: 0)) }
    try await eventually("the doors are back") { echo.log.view?.doors.count == 1 }
    #expect(echo.log.view?.socket == driver.localAddress && echo.log.view?.doors != first.doors)
    try net.player.ip("route replace default via 10.0.1.254 metric 100")
    try await eventually("it is renewed again") { driver.statistics.socketsRenewed == 1 }
    driver.perform { handler, _ in handler.send("x", to: target) }
    try await eventually("the answer") { echo.log.texts == ["x"] }
  }
}

extension Net {
  /// Ways to the server by both interfaces, `wifi` preferred.
  fileprivate func addRoutes(_ isIPv6: Bool) throws {
    guard isIPv6 else {
      try player.ip("route add default via 10.0.1.1 metric 100\nroute add default via 10.0.2.1 metric 200")
      return
    }
    try remote.ip(
      """
      addr add 2001:db8:1::1/64 dev wifi nodad
      addr add 2001:db8:2::1/64 dev lte nodad
      addr add 2001:db8:ff::1/128 dev lo nodad
      """)
    try player.ip(
      """
      addr add 2001:db8:1::2/64 dev wifi nodad
      addr add 2001:db8:2::2/64 dev lte nodad
      route add default via 2001:db8:1::1 metric 100
      route add default via 2001:db8:2::1 metric 200
      """)
  }
}

extension TestMachine {
  fileprivate func packetsSent(through interface: String) throws -> Int {
    // A thread's own view of its namespace.
    try inside {
      let path = "/proc/thread-self/net/dev"
      let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
      for line in lines {
        let words = line.split(whereSeparator: { $0 == " " || $0 == ":" })
        if words.first == interface[...], words.count > 10, let count = Int(words[10]) { return count }
      }
      throw Failure(description: "no interface \(interface)")
    }
  }
}
