import Roamkey
import Testing

@testable import RoamkeyCLI
@testable import RoamkeyTerminal

/// Servers of the local network by their names, without a network.
@Suite struct NeighbourTests {
  @Test(arguments: [
    ("127.0.0.1", Destination.host), ("::1", .host), ("[2001:db8::1]:7447", .host), ("example.org:7447", .host),
    ("example.org:many", .host), ("localhost", .host), ("LOCALHOST", .host), ("[oops", .host), ("", .host),
    ("\u{1b}", .host),
    ("example.org", .hostOrName), ("v1.attic", .hostOrName), ("attic", .nameOrHost), ("my-room_2", .nameOrHost),
    ("Ada's room", .name), ("Größe", .name), ("Dr. No", .name), ("Room: 5", .name), ("日本語", .name), ("@attic", .name),
  ])
  func whatSomebodyHasWritten(_ text: String, _ destination: Destination) {
    #expect(Destination(text) == destination)
  }

  private let ada = found("Ada's room", 1)
  private let twin = found("ADA'S  ROOM\u{200b}", 2)
  private let ben = found("Ben", 3)
  private let nameless = found(nil, 4)

  private func choose(_ name: String?, pin: PlayerID? = nil, met: PlayerID? = nil, from servers: [FoundServer])
    -> NeighbourFinder.Finding
  {
    NeighbourFinder(name: name, pin: pin, met: met, application: "roamkey/1").choose(from: servers)
  }

  @Test func aNameIsFoundInAnyCase() {
    #expect(choose("ada's room", from: [ada, ben, nameless]) == .one(ada))
    #expect(choose(" Ada's  ROOM ", from: [twin, ben]) == .one(twin))
    #expect(choose("Ada", from: [ada, ben, nameless]) == .none)
    #expect(choose("", from: [nameless]) == .none)
    #expect(choose("ada's room", from: []) == .none)
  }

  @Test func amongSeveralOfANameNobodyGuesses() {
    #expect(choose("ada's room", from: [ada, ben, twin]) == .several([ada, twin]))
    // The one that was meant the last time is no guess, nor is the one whose key was said.
    #expect(choose("ada's room", met: twin.id, from: [ada, ben, twin]) == .one(twin))
    #expect(choose("ada's room", pin: ada.id, met: twin.id, from: [ada, ben, twin]) == .one(ada))
    // A key that neither of them has helps nobody.
    #expect(choose("ada's room", met: ben.id, from: [ada, twin]) == .several([ada, twin]))
    // One that has another key than before is found all the same, to be refused loudly.
    #expect(choose("ada's room", met: ben.id, from: [ada]) == .one(ada))
    #expect(choose("ada's room", pin: ben.id, from: [ada, ben]) == .none)
  }

  @Test func aKeyIsFoundUnderAnyName() {
    #expect(choose(nil, pin: nameless.id, from: [ada, nameless]) == .one(nameless))
    #expect(choose(nil, pin: twin.id, from: [ada, nameless]) == .none)
  }

  @Test(arguments: [
    ("Ada's room", "@ada's%20room"), ("100% #1", "@100%25%20%231"), (" ÄRGER ", "@ärger"), ("a\u{2003}b", "@a%20b"),
    // What would sit on the `@` is written out; what nobody sees makes no other name.
    ("\u{1f3fd} room", "@%f0%9f%8f%bd%20room"), ("\u{ff9e}x", "@%ef%be%9ex"), ("\u{903}x", "@x"),
    ("1#\u{903}2", "@1%23\u{903}2"),
    ("Attic\u{200c}", "@attic"), ("At\u{fe0e}tic\u{e0041}", "@attic"),
  ])
  func aNameIsOneWordOfTheFile(_ name: String, _ text: String) {
    #expect(KnownServers.name(of: found(name, 1)) == text)
  }

  @Test func aServerWithoutANameIsKnownByItsAddress() {
    #expect(KnownServers.name(of: nameless) == "192.168.1.4:7447")
    #expect(KnownServers.name(ofNeighbour: " \u{200b} ") == nil)
  }

  @Test func acquaintancesComeFromTheFile() throws {
    let scratch = try Scratch()
    let known = KnownServers(besideKeyFile: scratch.file("me.pem"))
    #expect(known.acquaintances().of([ada, ben]) == [:])
    #expect(try known.remember(ada.id, as: KnownServers.name(of: ada)) == .init(server: ada.id, line: 1))
    #expect(try known.find(KnownServers.name(of: ada)) == .init(server: ada.id, line: 1))
    // Of the same name, with another key.
    #expect(known.acquaintances().of([ada, twin, ben]) == [ada.id: .known, twin.id: .changed])
    let read = known.acquaintances()
    // A damaged line hides what stands below, as it does for whoever connects.
    try scratch.write("@BEN oops\n@ben \(ben.id)\n\(KnownServers.name(of: nameless)) \(ada.id)\n", to: "known_servers")
    #expect(throws: Failure.self) { try known.find(KnownServers.name(of: ben)) }
    #expect(known.acquaintances().of([ada, ben, nameless]) == [nameless.id: .changed])
    // What was read stays so.
    #expect(read.of([ada]) == [ada.id: .known])
  }

  // MARK: Where nobody can look

  private static let obstacle = Failure(code: "system", "no socket")

  /// What becomes of a text where the local network cannot be asked.
  private func place(of text: String, hosts: [String] = [], known: String = "") async throws -> Result<
    ServerFinder.Place, Failure
  > {
    let scratch = try Scratch()
    try scratch.write(known, to: "known_servers")
    let finder = ServerFinder(
      pin: nil, known: KnownServers(besideKeyFile: scratch.file("me.pem")), application: "roamkey/1",
      look: { (_) async throws(Failure) in throw Self.obstacle },
      resolve: { (text) throws(HostError) in if !hosts.contains(text) { throw .notFound(host: text) } })
    do throws(Failure) {
      return .success(try await finder.place(of: text))
    } catch {
      return .failure(error)
    }
  }

  @Test func whereNobodyCanLookAHostIsAHost() async throws {
    for host in ["attic", "attic.example", "127.0.0.1"] {
      #expect(try await place(of: host, hosts: ["attic", "attic.example"]).get() == .host)
    }
  }

  @Test func whereNobodyCanLookANeighbourIsMissedWithTheReason() async throws {
    let met = "@attic \(ada.id)\n"
    for (name, hosts, known) in [
      ("Ada's room", [], ""), ("attic", [], ""), ("attic.example", [], ""),
      // Who was a neighbour is not looked for among hosts.
      ("attic", ["attic"], met),
    ] {
      let outcome = try await place(of: name, hosts: hosts, known: known)
      #expect(throws: Failure.self) { try outcome.get() }
      if case .failure(let failure) = outcome { #expect(failure.sentence == Self.obstacle.sentence) }
    }
  }

  @Test func ofSeveralNeighboursNoHostIsMade() async throws {
    let scratch = try Scratch()
    let servers = [ada, twin]
    let finder = ServerFinder(
      pin: nil, known: KnownServers(besideKeyFile: scratch.file("me.pem")), application: "roamkey/1",
      look: { (_) async throws(Failure) in .several(servers) }, resolve: { (_) throws(HostError) in })
    do throws(Failure) {
      let place = try await finder.place(of: "attic")
      Issue.record("\(place)")
    } catch {
      #expect(error.code == "severalServers")
    }
  }
}
