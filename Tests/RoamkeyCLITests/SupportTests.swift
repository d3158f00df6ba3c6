import Roamkey
import Testing

@testable import RoamkeyCLI
@testable import RoamkeyTerminal

/// The small parts of the commands.
@Suite struct SupportTests {
  @Test func linesAreCutWhereverTheBytesAre() {
    let text = Array("one\n\ntwo\r\nlonger than eight\nlast".utf8)
    for size in 1...text.count {
      var splitter = LineSplitter(maximumLength: 8)
      var lines: [LineSource.Line] = []
      for start in stride(from: 0, to: text.count, by: size) {
        lines += splitter.split(text[start..<min(start + size, text.count)])
      }
      lines += splitter.finish()
      let expected: [LineSource.Line] = [
        .bytes(Array("one".utf8)), .bytes([]), .bytes(Array("two\r".utf8)), .tooLong(number: 4),
        .bytes(Array("last".utf8)),
      ]
      #expect(lines == expected)
    }
  }

  @Test func nothingIsNoLine() {
    var splitter = LineSplitter(maximumLength: 8)
    #expect(splitter.split([]) == [])
    #expect(splitter.finish() == [])
    #expect(splitter.split(Array("\n".utf8)[...]) == [.bytes([])])
    #expect(splitter.finish() == [])
  }

  @Test(arguments: [
    ("Example.org", "example.org:7447"), ("example.org:1", "example.org:1"), ("127.0.0.1", "127.0.0.1:7447"),
    ("2001:DB8::1", "[2001:db8::1]:7447"), ("[2001:db8::1]", "[2001:db8::1]:7447"), ("[::1]:5", "[::1]:5"),
  ])
  func aKnownServerHasOneName(_ text: String, _ name: String) {
    #expect(KnownServers.name(of: text) == name)
  }

  @Test func knownServersAreFoundAndAppended() async throws {
    let scratch = try Scratch()
    let known = KnownServers(besideKeyFile: scratch.file("me.pem"))
    let (one, two) = (PlayerKey.generate().id, PlayerKey.generate().id)
    #expect(try known.find("a:1") == nil)
    #expect(try known.remember(one, as: "a:1") == .init(server: one, line: 1))
    // Who comes second finds what stands there.
    #expect(try known.remember(two, as: "a:1") == .init(server: one, line: 1))
    try scratch.write("# mine\na:1 \(one)\n\nb:2 \(two)", to: "known_servers")
    #expect(try known.find("b:2") == .init(server: two, line: 4))
    #expect(try known.remember(one, as: "c:3") == .init(server: one, line: 5))
    #expect(scratch.read("known_servers") == "# mine\na:1 \(one)\n\nb:2 \(two)\nc:3 \(one)\n")
    try scratch.write("x:1 rk1oops\ny:2\na:1 \(one)\n", to: "known_servers")
    // A damaged line matters to whom it concerns.
    #expect(throws: Failure.self) { try known.find("x:1") }
    #expect(throws: Failure.self) { try known.find("y:2") }
    #expect(try known.find("a:1")?.line == 3)
    // What people write by hand counts as much.
    try scratch.write("Example.ORG \(two)\n", to: "known_servers")
    #expect(try known.find("example.org:7447") == .init(server: two, line: 1))
    #expect(try known.remember(one, as: "example.org:7447") == .init(server: two, line: 1))
  }

  /// A mark behind `#`, `@` or a space is one `Character` with it, and hides none of them.
  @Test func marksHideNothing() throws {
    let (one, two) = (PlayerKey.generate().id, PlayerKey.generate().id)
    #expect(try PlayerList.parse("\(one) #\u{301}x\n#\u{903}\(two)\n #\n", path: "f") == [one])
    #expect(
      TextFile.lines("a \u{301}b\u{d4e} c\r\n\n#\u{301}") == [.init(number: 1, words: ["a", "\u{301}b\u{d4e}", "c"])])
    let scratch = try Scratch()
    let known = KnownServers(besideKeyFile: scratch.file("me.pem"))
    for (index, name) in ["@\u{301}x", "@\u{ff9e}x", "@x\u{d4e}", "[\u{301}x]:7447"].enumerated() {
      #expect(KnownServers.name(of: name) == name)
      #expect(try known.remember(one, as: name) == .init(server: one, line: index + 1))
      #expect(try known.remember(two, as: name) == .init(server: one, line: index + 1))
    }
  }

  @Test func aListNamesTheLineThatIsWrong() throws {
    let (one, two) = (PlayerKey.generate().id, PlayerKey.generate().id)
    let list = try PlayerList.parse("# all\r\n\(one) # Ada\n\n\t\(two)\n", path: "f")
    #expect(list == [one, two])
    #expect(try PlayerList.parse("", path: "f") == [])
    do throws(Failure) {
      _ = try PlayerList.parse("\(one)\n\n\(two) \(one)\n", path: "f")
      Issue.record("took two on one line")
    } catch {
      #expect(error.sentence.hasPrefix("line 3 of f: "))
    }
  }

  @Test func thePublicKeyStandsBeside() {
    #expect(KeyStore.publicPath("keys/a.pem") == "keys/a.pub.pem")
    #expect(KeyStore.publicPath("a") == "a.pub.pem")
  }

  @Test func modesOfDeliveryHaveNames() {
    let names = ["reliable", "reliable-ordered", "unordered", "latest", "unreliable"]
    #expect(
      names.map { DeliveryMode(argument: $0)?.delivery }
        == [.reliableOrdered, .reliableOrdered, .reliableUnordered, .latest, .unreliable])
    #expect(DeliveryMode(argument: "pigeon") == nil)
  }
}
