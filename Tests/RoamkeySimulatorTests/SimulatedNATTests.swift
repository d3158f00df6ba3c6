import RoamkeyEngine
import RoamkeyWire
import Testing

@testable import RoamkeySimulator

/// A router's table of mappings (RFC 4787).
@Suite struct SimulatedNATTests {
  private let server = NetworkAddress(ipv4: 192, 0, 2, 1, port: 7447)
  private let other = NetworkAddress(ipv4: 192, 0, 2, 2, port: 7447)
  private let anna = NetworkAddress(ipv4: 10, 0, 0, 1, port: 40_000)
  private let ben = NetworkAddress(ipv4: 10, 1, 0, 1, port: 40_000)

  private static func nat(_ behavior: NATBehavior = NATBehavior()) -> SimulatedNAT {
    SimulatedNAT(
      address: NetworkAddress(ipv4: 198, 18, 0, 1, port: 0), behavior: behavior, conditions: .perfect)
  }

  private static func second(_ seconds: Int64) -> Instant { Instant(nanoseconds: seconds * 1_000_000_000) }

  /// The outside address of what is sent.
  private func send(
    _ nat: SimulatedNAT, from inside: NetworkAddress, to remote: NetworkAddress, at seconds: Int64 = 0
  ) throws -> NetworkAddress {
    let outside = try #require(nat.translateOutbound(from: inside, to: remote, now: Self.second(seconds)))
    #expect(outside.ip == nat.address.ip)
    return outside
  }

  private func answer(
    _ nat: SimulatedNAT, from remote: NetworkAddress, to outside: NetworkAddress, at seconds: Int64 = 0
  ) -> NetworkAddress? {
    nat.translateInbound(from: remote, to: outside.port, now: Self.second(seconds))
  }

  @Test func onePortForEachInsideAddress() throws {
    let nat = Self.nat()
    let annas = try send(nat, from: anna, to: server)
    let bens = try send(nat, from: ben, to: server)
    #expect(annas.port != bens.port)
    #expect(try send(nat, from: anna, to: other) == annas, "wherever it goes")
    #expect(answer(nat, from: server, to: annas) == anna && answer(nat, from: server, to: bens) == ben)
    #expect(nat.statistics == NATStatistics(mapped: 2))
  }

  @Test func onlyWhoWasWrittenToMayAnswer() throws {
    let nat = Self.nat()
    let outside = try send(nat, from: anna, to: server)
    var otherPort = server
    otherPort.port += 1
    #expect(answer(nat, from: other, to: outside) == nil && answer(nat, from: otherPort, to: outside) == nil)
    #expect(nat.statistics.filtered == 2)
    #expect(answer(nat, from: server, to: outside) == anna)
    var otherMapping = outside
    otherMapping.port += 1
    #expect(answer(nat, from: server, to: otherMapping) == nil)
    #expect(nat.statistics.unmapped == 1)
  }

  /// Only what is sent from inside holds a mapping: RFC 4787 §4.3.
  @Test func mappingsRunOut() throws {
    let nat = Self.nat()
    let first = try send(nat, from: anna, to: server, at: 0)
    #expect(answer(nat, from: server, to: first, at: 29) == anna)
    #expect(try send(nat, from: anna, to: server, at: 29) == first)
    #expect(answer(nat, from: server, to: first, at: 58) == anna)
    #expect(answer(nat, from: server, to: first, at: 59) == nil, "what came at 58 s prolonged nothing")
    let second = try send(nat, from: anna, to: server, at: 60)
    #expect(second != first, "the next one gets a fresh port")
    #expect(answer(nat, from: server, to: first, at: 60) == nil)
    #expect(answer(nat, from: server, to: second, at: 60) == anna)
    #expect(nat.statistics.mapped == 2 && nat.statistics.expired == 1 && nat.statistics.unmapped == 2)
  }

  /// The leave to answer runs out for each destination by itself.
  @Test func leaveToAnswerRunsOut() throws {
    let nat = Self.nat()
    let outside = try send(nat, from: anna, to: server, at: 0)
    #expect(try send(nat, from: anna, to: other, at: 20) == outside)
    #expect(
      answer(nat, from: server, to: outside, at: 40) == nil && answer(nat, from: other, to: outside, at: 40) == anna)
  }

  @Test func symmetric() throws {
    let nat = Self.nat(NATBehavior(isSymmetric: true))
    let toServer = try send(nat, from: anna, to: server)
    let toOther = try send(nat, from: anna, to: other)
    #expect(toServer != toOther)
    #expect(answer(nat, from: server, to: toServer) == anna && answer(nat, from: other, to: toOther) == anna)
    #expect(answer(nat, from: other, to: toServer) == nil)
  }

  @Test func forgetting() throws {
    let nat = Self.nat()
    let before = [try send(nat, from: anna, to: server), try send(nat, from: ben, to: server)]
    nat.forget()
    for outside in before { #expect(answer(nat, from: server, to: outside) == nil) }
    let after = [try send(nat, from: anna, to: server), try send(nat, from: ben, to: server)]
    #expect(Set(before + after).count == 4, "fresh ports for all")
  }

  @Test func portsRunOut() throws {
    let nat = Self.nat(NATBehavior(portLimit: 2))
    let outside = try send(nat, from: anna, to: server, at: 0)
    #expect(try send(nat, from: ben, to: server, at: 10) != outside)
    let carl = NetworkAddress(ipv4: 10, 2, 0, 1, port: 40_000)
    #expect(nat.translateOutbound(from: carl, to: server, now: Self.second(29)) == nil)
    #expect(nat.statistics.exhausted == 1 && nat.portsInUse == 2)
    #expect(answer(nat, from: server, to: outside, at: 29) == anna, "who has one keeps it")
    // Anna's has run out by then.
    #expect(try send(nat, from: carl, to: server, at: 30).port != outside.port)
    #expect(nat.portsInUse == 2 && nat.statistics.expired == 1)
  }

  /// A scanner inside cannot fill the router's memory.
  @Test func peersAreBounded() throws {
    let nat = Self.nat()
    let outside = try send(nat, from: anna, to: server)
    for port in 1...100 as ClosedRange<UInt16> {
      let scanned = NetworkAddress(ipv4: 203, 0, 113, 1, port: port)
      #expect(try send(nat, from: anna, to: scanned, at: 1) == outside)
    }
    #expect(answer(nat, from: server, to: outside, at: 1) == nil, "forgotten, since it was the oldest")
    #expect(answer(nat, from: NetworkAddress(ipv4: 203, 0, 113, 1, port: 100), to: outside, at: 1) == anna)
  }

  /// A port is not given out again while it is in use, even when all others were.
  @Test func portsInUseAreSkipped() throws {
    let nat = Self.nat(NATBehavior(timeout: .seconds(2), portLimit: .max))
    let held = try send(nat, from: anna, to: server, at: 0)
    for i in 0..<16_400 {
      let guest = NetworkAddress(ipv4: 10, 9, UInt8(i >> 8), UInt8(i & 0xff), port: 1)
      let outside = try send(nat, from: guest, to: server, at: Int64(i / 1000))
      #expect(outside != held)
      if i % 1000 == 0 { #expect(try send(nat, from: anna, to: server, at: Int64(i / 1000)) == held) }
    }
    #expect(nat.portsInUse <= 16_384)
  }
}
