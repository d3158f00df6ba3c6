import RoamkeyCrypto
import RoamkeyEngine
import RoamkeySimulator
import Testing

@testable import Roamkey

/// Hosts that pass messages on, honest ones and others, and what a player can tell of it (PROTOCOL §9.8).
@Suite struct AuthorTests {
  /// A host with two players in virtual time.
  private final class Table {
    let simulation: Simulation
    let ada: SimulatedClient
    let ben: SimulatedClient
    /// What the host does with a message of somebody's.
    var pass: (SimulatedServer, Message, PlayerID) -> Void = { server, message, player in
      server.broadcast(message, from: player)
    }
    private(set) var heardByHost: [Message] = []
    private(set) var heard: [Message] = []

    init(seed: UInt64, application: String = "galaxy/1") {
      simulation = Simulation(seed: seed, application: application)
      ada = simulation.addClient()
      ben = simulation.addClient()
      simulation.run(for: .seconds(2))
    }

    func run() {
      for _ in 0..<20 {
        simulation.run(for: .milliseconds(100))
        for case .message(let message, let player) in simulation.server.takeEvents() {
          heardByHost.append(message)
          pass(simulation.server, message, player)
        }
        for case .message(let message) in ben.takeEvents() { heard.append(message) }
      }
    }
  }

  @Test func anHonestHostPassesProofsOn() throws {
    let table = Table(seed: 1)
    try table.ada.send(Message("I take Vega", as: "order").signed())
    try table.ada.send(Message("hello"))
    try table.ada.send(Message([1, 2, 3], as: "bytes").signed(), delivery: .latest)
    table.run()
    #expect(table.heard.map(\.author) == [table.ada.id, table.ada.id, table.ada.id])
    #expect(Set(table.heard.filter(\.isProven).map(\.action)) == ["order", "bytes"])
    #expect(table.heard.filter(\.isSigned).count == 2)
    #expect(table.heardByHost.filter(\.isProven).count == 2)
    let statements = table.heard.compactMap(\.statement)
    #expect(Set(statements.map(\.number)) == [1, 2] && Set(statements.map(\.run)).count == 1)
    #expect(statements.allSatisfy { $0.author == table.ada.id && $0.server == table.simulation.server.id })
    #expect(statements.allSatisfy { $0.application == "galaxy/1" && $0.isGenuine })
    // One that was not received has nothing to show yet.
    #expect(Message("x").signed().isSigned && !Message("x").signed().isProven && Message("x").signed().statement == nil)
  }

  @Test func aHostCanNeitherAlterNorInvent() throws {
    let table = Table(seed: 2)
    table.pass = { server, message, player in
      // Other words under the author's name, the proof's bytes under another name, and a repetition.
      server.broadcast(Message("I give up", as: "order"), from: player)
      server.send(message.by(table.ben.id), to: table.ben.id)
      server.broadcast(message, from: player)
      server.broadcast(message, from: player)
    }
    try table.ada.send(Message("I take Vega", as: "order").signed())
    table.run()
    #expect(table.heard.map(\.text) == ["I give up", "I take Vega", "I take Vega", "I take Vega"])
    #expect(table.heard.map(\.isProven) == [false, false, true, true])
    // The word of the host is all that there is for the first, and the third and fourth were said once.
    let numbers = table.heard.suffix(2).map { $0.statement?.number }
    #expect(table.heard[0].author == table.ada.id && numbers == [1, 1])
  }

  @Test func aProofIsOfOneServerAndApplication() throws {
    let table = Table(seed: 3)
    try table.ada.send(Message("yes").signed())
    table.run()
    let said = try #require(table.heard.first)
    #expect(said.isProven)
    // Shown in another game, and on another server, by a host that keeps what it heard.
    for (seed, application) in [(3, "galaxy/2"), (4, "galaxy/1")] as [(UInt64, String)] {
      let other = Table(seed: seed, application: application)
      other.pass = { server, _, _ in server.broadcast(said) }
      try other.ada.send("go")
      other.run()
      #expect(other.heard.map(\.text) == ["yes"])
      #expect(other.heard.map(\.author) == [table.ada.id] && other.heard.allSatisfy { !$0.isProven })
    }
  }

  @Test func aServerDoesNotSign() {
    let table = Table(seed: 5)
    let refused = table.simulation.server.broadcast(Message("x").signed())
    #expect(refused.count == 2)
    for error in refused.values { guard case .notEncodable = error else { Issue.record("\(error)"); continue } }
    table.run()
    #expect(table.heard.isEmpty)
  }

  /// What was not confirmed keeps its number when it is said again: it was said once.
  @Test func whatIsHandedBackWasSaidOnce() throws {
    let table = Table(seed: 6)
    try table.ada.send(Message("before").signed())
    table.run()
    table.simulation.cut([table.ada])
    try table.ada.send(Message("lost?").signed())
    table.simulation.run(for: .seconds(1))
    table.simulation.restartServer(after: .milliseconds(100))
    table.simulation.heal()
    var lost: [Undelivered] = []
    for _ in 0..<100 {
      table.simulation.run(for: .milliseconds(100))
      for case .reconnected(let undelivered) in table.ada.takeEvents() { lost += undelivered }
    }
    #expect(lost.map(\.message.text) == ["lost?"] && lost.first?.message.isSigned == true)
    for message in lost { try table.ada.send(message) }
    try table.ada.send(Message("after").signed())
    table.run()
    #expect(table.heardByHost.suffix(2).map(\.text) == ["lost?", "after"])
    #expect(table.heardByHost.suffix(2).compactMap { $0.statement?.number } == [2, 3])
    #expect(table.heardByHost.allSatisfy { $0.isProven })
  }

  @Test func statementsAsBytes() throws {
    let table = Table(seed: 7)
    for text in ["one", "two"] { try table.ada.send(Message(text, as: "say").signed()) }
    table.run()
    let statements = table.heard.compactMap(\.statement)
    #expect(statements.count == 2)
    let bytes = statements[0].encoded
    #expect(try SignedStatement(bytes) == statements[0])
    #expect(try SignedStatement(bytes).isGenuine)
    #expect(!statements[0].contradicts(statements[1]) && !statements[0].contradicts(statements[0]))

    // Cut short, and with each byte changed: refused, or not genuine.
    for count in 0..<bytes.count {
      #expect(throws: SignedStatementError.self) { try SignedStatement(Array(bytes[..<count])) }
    }
    for place in bytes.indices {
      var altered = bytes
      altered[place] ^= 1
      #expect((try? SignedStatement(altered))?.isGenuine ?? false == false)
    }
    #expect(throws: SignedStatementError.somethingElse) { try SignedStatement([0x81, 0x01]) }
  }

  /// A modified client that tells one player this and another that.
  @Test func twoThingsUnderOneNumber() throws {
    let cheat = PlayerKey.generate()
    let server = PlayerKey.generate().id
    func statement(_ text: String, number: UInt64, run: UInt64 = 7) -> SignedStatement {
      let statement = AuthorStatement(
        application: "galaxy/1", server: server, run: run, number: number, format: .text, action: "vote",
        body: Array(text.utf8))
      return SignedStatement(author: cheat.id, statement: statement, signature: statement.sign(cheat))
    }
    let (yes, no) = (statement("yes", number: 1), statement("no", number: 1))
    #expect(yes.isGenuine && no.isGenuine)
    #expect(yes.contradicts(no) && no.contradicts(yes))
    #expect(!yes.contradicts(yes) && !yes.contradicts(statement("no", number: 2)))
    #expect(!yes.contradicts(statement("no", number: 1, run: 8)))
    // Somebody who makes up the second half proves nothing.
    var signature = no.signature
    signature[0] ^= 1
    let invented = SignedStatement(author: cheat.id, statement: no.statement, signature: signature)
    #expect(!invented.isGenuine && !yes.contradicts(invented) && !invented.contradicts(yes))
    #expect(!statement("no", number: 0).isGenuine)
  }
}
