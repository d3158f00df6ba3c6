import RoamkeySimulator
import RoamkeyWire
import Testing

struct NetworkAddressTests {
  static func v6(_ high: UInt64, _ low: UInt64, port: UInt16 = 7447, scope: UInt32 = 0) -> NetworkAddress {
    NetworkAddress(ip: UInt128(high) << 64 | UInt128(low), port: port, scope: scope)
  }

  static let canonical: [(String, NetworkAddress)] = [
    ("127.0.0.2:7447", NetworkAddress(ipv4: 127, 0, 0, 2, port: 7447)),
    ("0.0.0.0:0", NetworkAddress(ipv4: 0, 0, 0, 0, port: 0)),
    ("255.255.255.255:65535", NetworkAddress(ipv4: 255, 255, 255, 255, port: 65535)),
    ("[::]:7447", .any(port: 7447)),
    ("[::1]:7447", v6(0, 1)),
    ("[2001:db8::1]:7447", v6(0x2001_0db8_0000_0000, 1)),
    ("[2001:db8::]:7447", v6(0x2001_0db8_0000_0000, 0)),
    ("[fe80::1%2]:7447", v6(0xfe80_0000_0000_0000, 1, scope: 2)),
    ("[ff02::1%4294967295]:7447", v6(0xff02_0000_0000_0000, 1, scope: .max)),
    // RFC 5952 §4.2.2: one zero group is not shortened.
    ("[2001:db8:0:1:1:1:1:1]:7447", v6(0x2001_0db8_0000_0001, 0x0001_0001_0001_0001)),
    // §4.2.3: the longest run, and the first of equals.
    ("[2001:0:0:1::1]:7447", v6(0x2001_0000_0000_0001, 1)),
    ("[2001:db8::1:0:0:1]:7447", v6(0x2001_0db8_0000_0000, 0x0001_0000_0000_0001)),
    ("[1:2:3:4:5:6:7:8]:7447", v6(0x0001_0002_0003_0004, 0x0005_0006_0007_0008)),
    ("[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:7447", v6(.max, .max)),
    // Not IPv4-mapped, though near it.
    ("[::fffe:7f00:1]:7447", v6(0, 0xfffe_7f00_0001)),
    ("[64:ff9b::c000:201]:7447", v6(0x0064_ff9b_0000_0000, 0xc000_0201)),
  ]

  @Test(arguments: canonical)
  func writesAndReadsTheCanonicalForm(_ text: String, _ address: NetworkAddress) throws {
    #expect(address.description == text)
    #expect(try NetworkAddress(text) == address)
    #expect(try NetworkAddress(text, defaultPort: 1) == address)
  }

  @Test(arguments: [
    ("[2001:DB8:0:0:0:0:0:1]:7447", "[2001:db8::1]:7447"),
    ("[::ffff:192.0.2.1]:7447", "192.0.2.1:7447"),
    ("[::ffff:c000:201]:7447", "192.0.2.1:7447"),
    ("[64:ff9b::192.0.2.1]:7447", "[64:ff9b::c000:201]:7447"),
    ("[1:2:3:4:5:6:1.2.3.4]:7447", "[1:2:3:4:5:6:102:304]:7447"),
    ("[0001:02:003::]:7447", "[1:2:3::]:7447"),
    ("[1:2:3::5:6:7:8]:7447", "[1:2:3:0:5:6:7:8]:7447"),
    ("[::2:3:4:5:6:7:8]:7447", "[0:2:3:4:5:6:7:8]:7447"),
    ("[1:2:3:4:5:6:7::]:7447", "[1:2:3:4:5:6:7:0]:7447"),
    ("192.0.2.1", "192.0.2.1:9"), ("[::1]", "[::1]:9"), ("::1", "[::1]:9"), ("::", "[::]:9"),
    ("1:2:3:4:5:6:7:8", "[1:2:3:4:5:6:7:8]:9"), ("fe80::1%3", "[fe80::1%3]:9"),
  ])
  func readsOtherForms(_ text: String, _ canonical: String) throws {
    #expect(try NetworkAddress(text, defaultPort: 9).description == canonical)
  }

  @Test(arguments: [
    "", ":", "::::", ":1", ":::", "1", "1.2.3", "1.2.3:5", "1.2.3.4.5:6", "1.2.3.256:1", "1.2.3.-4:1", "01.2.3.4:1",
    "1.2.3.04:1", "0x7f.0.0.1:1", "1.2.3.4 :1", " 1.2.3.4:1", "1.2.3.4\0:1", "1..2.3:1", "1.2.3.4/24:1",
    "localhost:1", "[1.2.3.4]:1", "[]:1", "[", "[::1", "::1]:1", "[[::1]]:1", "[::1]]:1", "[:1]:1", "[1:]:1",
    "[1::2::3]:1",
    "[1:2:3:4:5:6:7:8:9]:1", "[1:2:3:4:5:6:7]:1", "[1:2:3:4:5:6:7:8::]:1", "[::1:2:3:4:5:6:7:8]:1", "[12345::]:1",
    "[g::]:1", "[::1.2.3]:1", "[::1.2.3.4.5]:1", "[::1.2.3.4:5]:1", "[1:2:3:4:5:6:7:1.2.3.4]:1", "[::01.2.3.4]:1",
    "[::1]x:1", "１.2.3.4:1", "1.2.3.4：1", "[::１]:1", "4294967295:1", "99999999999999999999.1.1.1:1",
    String(repeating: "1", count: 100_000), "[" + String(repeating: ":", count: 1000) + "]:1",
    "[" + String(repeating: "0:", count: 1000) + "]:1",
  ])
  func refusesWhatIsNoAddress(_ text: String) {
    #expect(throws: NetworkAddressError.notAnAddress) { try NetworkAddress(text, defaultPort: 9) }
  }

  @Test(arguments: [
    "1.2.3.4:", "1.2.3.4:1\n", "1.2.3.4:65536", "1.2.3.4:00080", "1.2.3.4:+80", "1.2.3.4:-1", "1.2.3.4:80 ",
    "1.2.3.4:0x50",
    "[::1]:99999999999999999999", "[::1]:", "[::1]:1:1",
  ])
  func refusesBadPorts(_ text: String) {
    #expect(throws: NetworkAddressError.badPort) { try NetworkAddress(text, defaultPort: 9) }
  }

  @Test(arguments: [
    "[::1%2]:1", "[fe80::1%]:1", "[fe80::1%eth0]:1", "[fe80::1%0]:1", "[fe80::1%4294967296]:1", "[2001:db8::1%1]:1",
    "[::ffff:1.2.3.4%1]:1", "[fe80::1%01]:1",
  ])
  func refusesBadScopes(_ text: String) {
    #expect(throws: NetworkAddressError.badScope) { try NetworkAddress(text) }
  }

  @Test func needsAPortFromSomewhere() {
    for text in ["1.2.3.4", "::1", "[::1]"] {
      #expect(throws: NetworkAddressError.missingPort) { try NetworkAddress(text) }
    }
    #expect(NetworkAddressError.missingPort.description.contains("192.0.2.1:7447"))
  }

  /// Any bytes: an address or a typed error, and what is read is written so that it reads the same again.
  @Test func randomTextNeverTraps() {
    let alphabet = Array("0123456789abcdefF:::...[]%% g\u{e9}")
    let seed = UInt64.random(in: .min ... .max)
    var random = SeededRandom(seed: seed)
    var read = 0
    for _ in 0..<20_000 {
      let text = String(
        (0..<Int.random(in: 0...24, using: &random)).map { _ in alphabet.randomElement(using: &random)! })
      guard let address = try? NetworkAddress(text, defaultPort: 7) else { continue }
      read += 1
      #expect((try? NetworkAddress(address.description)) == address, "seed \(seed): \(text)")
    }
    for _ in 0..<5_000 {
      // Mostly zero groups, so that every shape of `::` occurs.
      var ip: UInt128 = 0
      for _ in 0..<8 {
        ip = ip << 16 | (Bool.random(using: &random) ? 0 : UInt128.random(in: 0...0xffff, using: &random))
      }
      let address = NetworkAddress(ip: ip, port: .random(in: 0 ... .max, using: &random))
      #expect((try? NetworkAddress(address.description)) == address, "seed \(seed): \(address)")
    }
  }

  @Test func kinds() throws {
    func all(_ texts: String..., are kind: (NetworkAddress) -> Bool) throws {
      for text in texts { #expect(kind(try NetworkAddress(text, defaultPort: 1)), "\(text)") }
    }
    try all("127.0.0.1", "127.255.255.255", "::1") { $0.isLoopback && !$0.isPrivate && !$0.isMulticast }
    try all("128.0.0.1", "126.255.255.255", "::", "::2", "1::1") { !$0.isLoopback }
    try all("224.0.0.1", "239.255.255.255", "ff02::1", "ff0e::1") { $0.isMulticast && !$0.isPrivate }
    try all("223.255.255.255", "240.0.0.0", "fe80::1", "feff::1") { !$0.isMulticast }
    try all(
      "10.0.0.0", "10.255.255.255", "172.16.0.0", "172.31.255.255", "192.168.0.1", "169.254.0.1", "fc00::1", "fdff::1",
      "fe80::1", "febf::1"
    ) { $0.isPrivate }
    try all(
      "9.255.255.255", "11.0.0.0", "172.15.255.255", "172.32.0.0", "192.167.0.1", "192.169.0.1", "169.253.0.1",
      "8.8.8.8", "2001:db8::1", "fec0::1", "fe00::1", "fbff::1", "::"
    ) { !$0.isPrivate }
  }

  @Test func limitsCountByPrefix() throws {
    func key(_ text: String) throws -> UInt128 { try NetworkAddress(text, defaultPort: 1).prefixKey }
    #expect(try key("2001:db8:1:2::1") == key("[2001:db8:1:2:ffff:ffff:ffff:ffff]:9"))
    #expect(try key("2001:db8:1:2::1") != key("2001:db8:1:3::1"))
    #expect(try key("192.0.2.1") == key("192.0.2.1:9"))
    #expect(try key("192.0.2.1") != key("192.0.2.2"))
  }
}
