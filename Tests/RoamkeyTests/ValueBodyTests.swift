import TestSupport
import Testing

@testable import Roamkey

/// Bodies that are values, from app to app.
@Suite(.realTime, .timeLimit(.minutes(40))) struct ValueBodyTests {
  struct Move: Codable, Equatable {
    var x: Double
    var y: Double
    var path: [Int16]
  }

  private let move = Move(x: 1.5, y: -2, path: [1, 2])

  @Test func valuesGoBothWays() async throws {
    let server = try await makeServer()
    let client = try await makeClient(server)
    let (atServer, atClient) = (Log { server.takeEvents() }, Log { client.takeEvents() })
    try client.send(move, as: "move")
    try client.send(["name": "Ada", "hp": 10], as: "hero")
    try client.send([1, 2, 3], as: "bytes")
    try client.send("text")
    let received = try await atServer.all(4, "what was sent") { event -> Message? in
      if case .message(let message, _) = event { message } else { nil }
    }
    #expect(try received[0].decode(Move.self) == move)
    #expect(received[0].action == "move" && received[0].text == nil)
    #expect(received[1].value == ["name": "Ada", "hp": 10])
    #expect(received[2].body == [1, 2, 3] && received[2].value == nil)
    #expect(throws: CBORError.notAValue) { try received[2].decode([Int].self) }
    #expect(received[3].text == "text" && received[3].value == nil)

    #expect(server.send(move, as: "move", to: client.id) == nil)
    #expect(server.send(["tick": 1], as: "tick", to: client.id) == nil)
    #expect(server.broadcast([client.id.description: move], as: "world").isEmpty)
    #expect(server.broadcast(["players": ["ada"], "time": 0.5], as: "state").isEmpty)
    // Passed on as it came.
    #expect(server.send(received[1], to: client.id) == nil)
    let answers = try await atClient.all(5, "what was answered") { event -> Message? in
      if case .message(let message) = event { message } else { nil }
    }
    #expect(try answers[0].decode(Move.self) == move)
    #expect(answers[1].value == ["tick": 1])
    #expect(try answers[2].decode([String: Move].self) == [client.id.description: move])
    #expect(answers[3].value?["players"]?[0]?.text == "ada")
    #expect(answers[4].value == received[1].value && answers[4].author == client.id)
    await client.close()
    await server.close()
  }

  /// Has itself for a part.
  private final class Endless: Encodable {
    func encode(to encoder: any Encoder) throws {
      var list = encoder.unkeyedContainer()
      try list.encode(self)
    }
  }

  @Test func whatCannotBeWrittenIsRefusedInWords() async throws {
    let server = try await makeServer()
    let client = try await makeClient(server)
    let reason = "lists and dictionaries are nested more than 16 levels deep"
    #expect(throws: SendError.notEncodable(reason)) { try client.send(Endless()) }
    #expect(server.send(Endless(), to: client.id) == .notEncodable(reason))
    #expect(server.broadcast(Endless()) == [client.id: .notEncodable(reason)])
    #expect("\(SendError.notEncodable(reason).description)" == "this value cannot be sent: \(reason)")
    await client.close()
    await server.close()
  }

  @Test func whatIsNoValueIsNilAndSaysWhy() {
    let broken = Message(format: .cbor, author: nil, action: "", body: [0x81])
    #expect(broken.value == nil && broken.text == nil)
    #expect(throws: CBORError.endsEarly) { try broken.decode(Value.self) }
    let deep = Message(format: .cbor, author: nil, action: "", body: Array(repeating: 0x81, count: 1 << 20))
    #expect(deep.value == nil)
    #expect(throws: CBORError.tooDeep(limit: 16)) { try deep.decode(Value.self) }
    let other = Message(format: .cbor, author: nil, action: "", body: [0x01])
    #expect(throws: DecodingError.self) { try other.decode(Move.self) }
  }
}
