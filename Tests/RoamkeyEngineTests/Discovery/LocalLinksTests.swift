import RoamkeyWire
import Testing

@testable import RoamkeyEngine

/// PROTOCOL §15.4: who is a neighbour, and what was for everybody.
struct LocalLinksTests {
  private let links = LocalLinks([
    .init(interface: 1, address: NetworkAddress(ipv4: 127, 0, 0, 1, port: 0), prefixLength: 8, isLoopback: true),
    .init(interface: 2, address: NetworkAddress(ipv4: 192, 0, 2, 1, port: 0), prefixLength: 24),
    .init(interface: 3, address: NetworkAddress(ipv4: 10, 1, 2, 3, port: 0), prefixLength: 20),
    .init(interface: 3, address: v6("fd00::5"), prefixLength: 64),
  ])

  private static func v6(_ text: String) -> NetworkAddress {
    (try? NetworkAddress("[\(text)]:0")) ?? .any(port: 0)
  }

  @Test(arguments: [
    ("192.0.2.77:1", 2), ("10.1.0.1:1", 3), ("10.1.15.254:1", 3), ("[fd00::9]:1", 3), ("[fe80::1%3]:1", 3),
    ("127.0.0.5:1", 1), ("[::1]:1", 1), ("192.0.2.1:1", 1), ("10.1.2.3:1", 1), ("192.0.2.1:1", 2),
  ])
  func neighbours(text: String, interface: UInt32) throws {
    #expect(links.isNeighbour(try NetworkAddress(text), on: interface))
  }

  @Test(arguments: [
    ("192.0.3.77:1", 2), ("192.0.2.77:1", 3), ("10.1.16.1:1", 3), ("[fd00:0:0:1::9]:1", 3), ("[fe80::1%2]:1", 2),
    ("127.0.0.1:1", 2), ("[::1]:1", 3), ("192.0.2.77:1", 1), ("8.8.8.8:1", 1), ("192.0.2.255:1", 2),
    ("224.0.0.1:1", 2), ("255.255.255.255:1", 2), ("0.0.0.0:1", 2), ("[::]:1", 3), ("[ff02::1%3]:1", 3),
    ("192.0.2.77:1", 9),
  ])
  func strangers(text: String, interface: UInt32) throws {
    #expect(!links.isNeighbour(try NetworkAddress(text), on: interface))
  }

  @Test(arguments: [
    ("239.255.82.75:1", 2, true), ("255.255.255.255:1", 2, true), ("192.0.2.255:1", 2, true),
    ("10.1.15.255:1", 3, true), ("127.255.255.255:1", 1, true), ("[ff12::524b:1]:1", 3, true),
    ("192.0.2.1:1", 2, false), ("10.1.15.255:1", 2, false), ("224.0.0.1:1", 2, false), ("[ff02::1%3]:1", 3, false),
    ("239.255.82.75:1", 9, false), ("[fd00::5]:1", 3, false),
  ])
  func forEverybody(text: String, interface: UInt32, isIt: Bool) throws {
    #expect(links.isForEverybody(try NetworkAddress(text), on: interface) == isIt)
  }

  /// What the system says of prefixes is believed no further than it can be right.
  @Test(arguments: [Int.min, -1, 0, 33, 128, 129, Int.max])
  func oddPrefixes(length: Int) {
    for address in [NetworkAddress(ipv4: 192, 0, 2, 1, port: 0), Self.v6("fd00::5")] {
      let links = LocalLinks([.init(interface: 2, address: address, prefixLength: length)])
      #expect(!links.isNeighbour(NetworkAddress(ipv4: 8, 8, 8, 8, port: 1), on: 2))
      #expect(!links.isNeighbour(Self.v6("2001:db8::1"), on: 2))
      #expect(!links.isForEverybody(NetworkAddress(ipv4: 8, 8, 8, 8, port: 1), on: 2))
    }
  }
}
