import RoamkeyWire
import Testing

@testable import RoamkeyUDP

struct HostResolverTests {
  @Test(arguments: [
    ("192.0.2.1", "192.0.2.1:7447"), ("192.0.2.1:5", "192.0.2.1:5"), ("[2001:db8::1]:5", "[2001:db8::1]:5"),
    ("[2001:db8::1]", "[2001:db8::1]:7447"), ("2001:db8::1", "[2001:db8::1]:7447"),
  ])
  func numericAddressesNeedNoLookUp(_ text: String, _ address: String) throws {
    #expect(try HostResolver.resolve(text, defaultPort: 7447).map(\.description) == [address])
  }

  @Test func findsThisMachine() throws {
    let addresses = try HostResolver.resolve("localhost:99", defaultPort: 7447)
    #expect(!addresses.isEmpty && addresses.allSatisfy { $0.isLoopback && $0.port == 99 })
    #expect(Set(addresses).count == addresses.count)
    #expect(try HostResolver.resolve("localhost", defaultPort: 7447).allSatisfy { $0.port == 7447 })
    // A scope by name, where the machine has that interface.
    if let local = try? HostResolver.resolve("[fe80::1%lo]:5", defaultPort: 1) {
      #expect(local.allSatisfy { $0.scope != 0 && $0.port == 5 })
    }
  }

  @Test(arguments: [
    "", ":", ":7447", " host", "ho st", "host\0.example:1", "host\n:1", "[host]:1", "[::1", "[::1]x", "[]:1", "a/b:1",
    "user@host:1", String(repeating: "a", count: 254), String(repeating: "a", count: 100_000),
  ])
  func refusesWhatIsNoHost(_ text: String) {
    let error = #expect(throws: HostError.self) { try HostResolver.resolve(text, defaultPort: 7447) }
    guard case .badText = error else { return #expect(Bool(false), "\(String(describing: error))") }
    #expect((error?.description.count ?? 0) < 200)
    #expect(error?.description.contains { $0 == "\0" || $0 == "\n" } == false)
  }

  @Test(arguments: ["host:", "host:0", "host:65536", "host:+5", "host:5x", "1.2.3.4:0", "1.2.3.4:99999", "[::1]:"])
  func refusesBadPorts(_ text: String) {
    #expect(throws: HostError.badPort(text)) { try HostResolver.resolve(text, defaultPort: 7447) }
  }

  /// RFC 6761 §6.4: `.invalid` never exists; without a network nobody can tell.
  @Test func saysWhatToDo() throws {
    let error = try #require(throws: HostError.self) {
      try HostResolver.resolve("no-such-host.invalid:1", defaultPort: 1)
    }
    #expect(error == .notFound(host: "no-such-host.invalid") || error == .noAnswer(host: "no-such-host.invalid"))
    #expect(
      HostError.notFound(host: "x").description == "cannot find host 'x': check the spelling or the network")
  }
}
