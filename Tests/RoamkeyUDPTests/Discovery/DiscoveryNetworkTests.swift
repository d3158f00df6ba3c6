import Foundation
import Glibc
import RoamkeyCrypto
import RoamkeyEngine
import RoamkeyWire
import TestSupport
import Testing

@testable import RoamkeyUDP

/// Beacons between machines: namespaces with a cable between them.
@Suite(
  .realTime, .timeLimit(.minutes(40)),
  .enabled(if: TestMachine.isPermitted, "network namespaces need root and iproute2"))
struct DiscoveryNetworkTests {
  private let server: TestMachine
  private let player: TestMachine

  init() throws {
    server = try TestMachine()
    player = try TestMachine()
    try server.connect("lan", to: player, "lan")
  }

  private func announce(
    _ name: String = "a", at address: NetworkAddress = .any(port: 7447)
  ) throws -> BeaconAnnouncer {
    try server.inside {
      let announcement = ServerAnnouncement(application: "galaxy/1", name: name, address: address)
      let responder = BeaconResponder(key: .generate(), announcement, instance: 1)
      return try BeaconAnnouncer(responder, at: address, isPolled: false) {
        ServerPopulation(players: 1, capacity: 2)
      }
    }
  }

  private func search() throws -> (search: ServerSearch, found: Locked<[FoundBeacon]>) {
    let found = Locked<[FoundBeacon]>([])
    let search = try player.inside {
      let seeker = ServerSeeker(application: "galaxy/1", entropy: .system, now: .current)
      return try ServerSearch(seeker) { list in found.withLock { $0 = list } }
    }
    return (search, found)
  }

  private func one(_ found: Locked<[FoundBeacon]>) async throws -> FoundBeacon {
    try await eventually("a server") { found.withLock { $0.first } }
  }

  @Test func overIPv4() async throws {
    try server.ip("addr add 10.0.1.1/24 dev lan")
    try player.ip("addr add 10.0.1.2/24 dev lan")
    let announcer = try announce()
    let (search, found) = try search()
    let address = try await one(found).address
    #expect(address == NetworkAddress(ipv4: 10, 0, 1, 1, port: 7447))
    // Group and broadcast: the second copy is dropped.
    try await eventually("copies") { announcer.statistics.drops["repeated"] }
    announcer.stop()
    try await eventually("its farewell", within: .seconds(3)) { found.withLock { $0.isEmpty } ? true : nil }
    search.stop()
  }

  @Test func overIPv6() async throws {
    try server.ip("addr add fe80::1/64 dev lan nodad")
    try player.ip("addr add fe80::2/64 dev lan nodad")
    let announcer = try announce()
    let (search, found) = try search()
    let address = try await one(found).address
    #expect(address.isLinkLocal && address.port == 7447)
    #expect(address.scope == (try player.index(of: "lan")))
    search.stop()
    announcer.stop()
  }

  /// A server that listens on one address answers from there, and only to those who can reach it.
  @Test func fromTheAddressThatItListensOn() async throws {
    try server.ip("addr add 10.0.1.1/24 dev lan\naddr add 10.0.1.9/24 dev lan\naddr add fe80::1/64 dev lan nodad")
    try player.ip("addr add 10.0.1.2/24 dev lan\naddr add fe80::2/64 dev lan nodad")
    let announcer = try announce(at: NetworkAddress(ipv4: 10, 0, 1, 9, port: 7000))
    let elsewhere = try announce("b", at: NetworkAddress(ipv4: 127, 0, 0, 1, port: 7000))
    let (search, found) = try search()
    let address = try await one(found).address
    #expect(address == NetworkAddress(ipv4: 10, 0, 1, 9, port: 7000))
    try await eventually("more questions") { search.statistics.sent >= 4 ? true : nil }
    #expect(found.withLock { $0.map(\.name) } == ["a"])
    #expect(elsewhere.statistics.sent == 0)
    search.stop()
    announcer.stop()
    elsewhere.stop()
  }

  /// To join a group is told on the link. Who is on loopback alone has no business there.
  @Test func onLoopbackAloneNoGroupIsJoined() throws {
    try server.ip("addr add 10.0.1.1/24 dev lan\naddr add fe80::1/64 dev lan nodad")
    let silent = try announce(at: NetworkAddress(ipv4: 127, 0, 0, 1, port: 7000))
    #expect(try groups() == (false, false))
    silent.stop()
    let announcer = try announce()
    #expect(try groups() == (true, true))
    announcer.stop()
  }

  /// Whether the server's machine hears the groups of either family, as its kernel tells.
  private func groups() throws -> (ipv4: Bool, ipv6: Bool) {
    try server.inside {
      let ipv4 = try String(contentsOfFile: "/proc/thread-self/net/igmp", encoding: .utf8)
      let ipv6 = try String(contentsOfFile: "/proc/thread-self/net/igmp6", encoding: .utf8)
      return (ipv4.contains("4B52FFEF"), ipv6.contains("ff1200000000000000000000524b0001"))
    }
  }

  /// A network that is there only later, on both sides.
  @Test func aNetworkThatComesLater() async throws {
    let announcer = try announce()
    let (search, found) = try search()
    try await eventually("questions into the void") { search.statistics.sent >= 3 ? true : nil }
    #expect(found.withLock { $0.isEmpty })
    try server.ip("addr add 10.0.1.1/24 dev lan\naddr add fe80::1/64 dev lan nodad")
    try player.ip("addr add 10.0.1.2/24 dev lan\naddr add fe80::2/64 dev lan nodad")
    let address = try await one(found).address
    #expect(address.isIPv4 || address.isLinkLocal)
    search.stop()
    announcer.stop()
  }

  /// Several servers on one machine: the port of discovery is all of theirs.
  @Test func manyServersOnOneMachine() async throws {
    try server.ip("addr add 10.0.1.1/24 dev lan")
    try player.ip("addr add 10.0.1.2/24 dev lan")
    let announcers = try (0..<5).map { try announce("s\($0)", at: .any(port: UInt16(7000 + $0))) }
    let (search, found) = try search()
    try await eventually("all five") { found.withLock { $0.count == 5 } ? true : nil }
    #expect(Set(found.withLock { $0.map(\.address.port) }) == Set(7000..<7005))
    search.stop()
    for announcer in announcers { announcer.stop() }
  }

  /// The answer to somebody who is not of this link: a question with a source from elsewhere, as a forger may write it.
  @Test func aSourceFromElsewhere() async throws {
    try server.ip("addr add 10.0.1.1/24 dev lan\nroute add default via 10.0.1.2 dev lan")
    // The player's address has a prefix of its own: to the server it is a stranger.
    try player.ip("addr add 203.0.113.5/32 dev lan\nroute add 10.0.1.0/24 dev lan")
    let announcer = try announce()
    let (search, found) = try search()
    try await eventually("questions") { announcer.statistics.drops["notLocal"] }
    try await eventually("more") { search.statistics.sent >= 4 ? true : nil }
    #expect(announcer.statistics.sent == 0)
    #expect(found.withLock { $0.isEmpty })
    search.stop()
    announcer.stop()
  }

  /// Whoever is at the other end of a tunnel is no neighbour, and is not asked.
  @Test func tunnelsAreLeftOut() throws {
    let tunnel = try player.openTunnel("tun0")
    defer { close(tunnel) }
    try player.ip("addr add 10.8.0.2/24 dev tun0\nlink set tun0 up\naddr add 10.0.1.2/24 dev lan")
    let links = try player.inside { try DiscoveryPort().links }
    let (lan, tun) = (try player.index(of: "lan"), try player.index(of: "tun0"))
    #expect(links.entries.contains { $0.interface == lan && $0.prefixLength == 24 && !$0.isLoopback })
    #expect(!links.entries.contains { $0.interface == tun })
    #expect(links.entries.contains { $0.isLoopback && $0.prefixLength == 8 })
  }

  /// Somebody has the port and does not share it: an error that says so, and nothing else.
  @Test func thePortIsSomebodyElses() throws {
    let other = try server.inside { try UDPSocket(bind: .any(port: DiscoveryPort.number)) }
    let error = #expect(throws: UDPError.self) { try announce() }
    #expect(error?.kind == .portInUse)
    withExtendedLifetime(other) {}
  }
}
