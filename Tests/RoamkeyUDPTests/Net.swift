import RoamkeyEngine
import RoamkeyWire

@testable import RoamkeyUDP

/// A player's machine with an interface `wifi` (10.0.1.2), and a server's at the other end of its cable (10.0.1.1, a
/// second router 10.0.1.254, and 203.0.113.1 behind both), where an echo runs.
final class Net {
  let player: TestMachine
  let remote: TestMachine
  let server: (driver: EchoDriver, log: EchoHandler.Log)
  /// 203.0.113.1, with the echo's port.
  let serverAddress: NetworkAddress

  init() throws {
    player = try TestMachine()
    remote = try TestMachine()
    try player.connect("wifi", to: remote, "wifi")
    try player.ip("addr add 10.0.1.2/24 dev wifi")
    try remote.ip("addr add 10.0.1.1/24 dev wifi\naddr add 10.0.1.254/24 dev wifi\naddr add 203.0.113.1/32 dev lo")
    server = try remote.inside { try makeEcho(.any(port: 0)) }
    serverAddress = NetworkAddress(ipv4: 203, 0, 113, 1, port: server.driver.localAddress.port)
  }

  /// A second interface of the player's, `lte` (10.0.2.2), to the same server (10.0.2.1).
  func addCable() throws {
    try player.connect("lte", to: remote, "lte")
    try player.ip("addr add 10.0.2.2/24 dev lte")
    try remote.ip("addr add 10.0.2.1/24 dev lte")
  }

  /// A driver on the player's machine that watches the ways to these hosts.
  func makeClient(
    _ mobility: Mobility = .client, bind: NetworkAddress = .any(port: 0), watches hosts: String...
  ) throws -> (driver: EchoDriver, log: EchoHandler.Log) {
    let addresses = try hosts.map { try NetworkAddress.host($0).with(port: 9) }
    return try player.inside { try makeEcho(bind, echoes: false, mobility: mobility, watches: addresses) }
  }
}
