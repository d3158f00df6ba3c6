import RoamkeyEngine
import RoamkeyWire
import TestSupport
import Testing

@testable import RoamkeyUDP

/// Networks that do not keep still, and one that takes nothing any more.
@Suite(
  .realTime, .timeLimit(.minutes(40)),
  .enabled(if: TestMachine.isPermitted, "network namespaces need root and iproute2 (`ip netns add`)"))
struct NetworkStressTests {
  /// A burst of moves and a storm of routes: what holds at the end is seen, and looks and sockets stay within bounds.
  @Test func aStorm() async throws {
    let net = try Net()
    try net.addCable()
    try net.player.ip("route add default via 10.0.1.1")
    let echo = try net.makeClient(watches: "203.0.113.1")
    try await eventually("the baseline is told") { echo.log.view != nil }
    var commands: [String] = []
    for i in 0..<200 {
      commands.append("route replace default via 10.0.1.\(i % 2 == 0 ? 254 : 1)")
      for j in 0..<10 { commands.append("route add 198.51.100.\(i)/32 via 10.0.1.1 metric \(j + 1)") }
      if i % 20 == 0 { commands.append("addr add 10.0.1.\(20 + i)/24 dev wifi") }
    }
    commands.append("route replace default via 10.0.2.1")
    let began = ContinuousClock.now
    try net.player.ip(commands.joined(separator: "\n"))
    let second = NetworkAddress(ipv4: 10, 0, 2, 2, port: 0)
    try await eventually("the last one is seen") {
      echo.log.view?.routes.first??.source == second && echo.log.view?.addresses.count == 12
    }
    let seconds = Int((ContinuousClock.now - began).components.seconds) + 1
    let statistics = echo.driver.statistics
    #expect(statistics.socketsRenewed >= 1)
    #expect(statistics.networkChanges <= 8 + 20 * seconds && statistics.networkLooksFailed == 0)
    let target = net.serverAddress
    echo.driver.perform { handler, _ in handler.send("calm", to: target) }
    try await eventually("it works") { echo.log.texts == ["calm"] }
    #expect(echo.log.received.withLock { $0[0].path.local.ip } == second.ip)
    // Old sockets and looks come to an end.
    let port = echo.driver.localAddress.port
    try await Task.sleep(for: .milliseconds(3500))
    let turns = echo.driver.statistics.turns
    try await Task.sleep(for: .milliseconds(200))
    #expect(echo.driver.statistics.turns == turns && echo.driver.localAddress.port == port)
  }

  /// More ways than doors: four of them are at hand, and another takes the place of one that goes; the others stay.
  @Test func fourDoorsOfSix() async throws {
    let net = try Net()
    try net.player.ip("route add default via 10.0.1.1 metric 100")
    for i in 3...8 {
      try net.player.connect("cell\(i)", to: net.remote, "cell\(i)")
      try net.player.ip("addr add 10.0.\(i).2/24 dev cell\(i)\nroute add default via 10.0.\(i).1 metric 20\(i)")
    }
    let echo = try net.makeClient(watches: "203.0.113.1")
    try await eventually("there are four") { echo.log.view?.doors.count == 4 }
    let first = try #require(echo.log.view)
    let stay = Set(first.doors.dropFirst())
    let gone = try #require(first.doors.first)
    #expect(first.addresses.count == 7 && first.doors.map(\.ip) == first.doors.map(\.ip).sorted())
    try net.player.ip("link set cell3 down")
    try await eventually("another one came") {
      guard let doors = echo.log.view?.doors else { return false }
      return doors.count == 4 && doors.allSatisfy { $0.ip != gone.ip }
    }
    #expect(stay.isSubset(of: Set(echo.log.view?.doors ?? [])))
    // The main way goes: every way that is left is a door's, but the one that the system takes now.
    try net.player.ip("link set wifi down")
    try await eventually("it moves") { echo.log.view?.routes.first??.source.ip != first.routes.first??.source.ip }
    #expect(stay.isSubset(of: Set(echo.log.view?.doors ?? [])) && echo.driver.statistics.doors <= 4)
  }

  /// The send buffer of a door's socket is full and stays so: what leaves by others goes on, after a moment.
  @Test func aStuckDoorHoldsUpNobody() async throws {
    let net = try Net()
    try net.addCable()
    try net.player.ip("route add default via 10.0.1.1 metric 100\nroute add default via 10.0.2.1 metric 200")
    try net.player.execute("tc qdisc add dev lte root tbf rate 8kbit burst 1600 limit 100000000")
    let echo = try net.makeClient(watches: "203.0.113.1")
    try await eventually("there is a door") { echo.log.view?.doors.count == 1 }
    let (target, door) = (net.serverAddress, try #require(echo.log.view?.doors.first))
    let filler = String(repeating: "x", count: 1400)
    echo.driver.perform { handler, _ in
      for i in 0..<10_000 {
        handler.send(filler, to: target, from: door)
        if i % 100 == 0 { handler.send("\(i)", to: target) }
      }
    }
    try await eventually("the others are answered") { echo.log.texts.count { $0.count < 1400 } == 100 }
    let statistics = echo.driver.statistics
    #expect(statistics.sendWaits == 1 && statistics.sendFailures.noBuffer > 1000)
    #expect(statistics.sendFailures.noBuffer == statistics.sendFailures.total)
    // It is not given up for good.
    try net.player.execute("tc qdisc del dev lte root")
    echo.driver.perform { handler, _ in handler.send("again", to: target, from: door) }
    try await eventually("the door is open again") { echo.log.texts.contains("again") }
  }

  /// A server that is told of other addresses goes on with all of its players, and answers from where it was asked.
  @Test func aServerIsToldWhileItServes() async throws {
    let net = try Net()
    let server = try net.player.inside {
      try makeEcho(.any(port: 0), mobility: .host, watches: [NetworkAddress(ipv4: 10, 0, 1, 1, port: 9)])
    }
    let client = try net.remote.inside { try makeEcho(.any(port: 0), echoes: false) }
    let port = server.driver.localAddress.port
    for i in 0..<20 {
      let asked = NetworkAddress(ipv4: 10, 0, 1, UInt8(50 + i), port: port)
      try net.player.ip("addr add 10.0.1.\(50 + i)/24 dev wifi")
      client.driver.perform { handler, _ in handler.send("\(i)", to: asked) }
      try await eventually("the answer") { client.log.texts.last == "\(i)" }
      #expect(client.log.received.withLock { $0[i].path.remote } == asked)
    }
    try await eventually("all are told") { server.log.view?.addresses.count == 21 }
    #expect(server.driver.localAddress.port == port)
  }
}
