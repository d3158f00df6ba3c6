import Foundation
import RoamkeyCrypto
import RoamkeyWire
import Testing

@testable import RoamkeyEngine

/// Messages that their authors have signed (PROTOCOL §9.8), against vectors of a separate implementation.
@Suite struct AuthorStatementTests {
  struct Vectors: Decodable {
    struct Case: Decodable {
      var application: String
      var run: String
      var number: UInt64
      var format: UInt8
      var action: String
      var body: String
      var proof: String
      var content: String
    }
    var seed: String
    var author: String
    var server: String
    var cases: [Case]
  }

  private static func vectors() throws -> Vectors {
    let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Vectors/authors.json")
    return try JSONDecoder().decode(Vectors.self, from: Data(contentsOf: url))
  }

  private static func bytes(_ hex: String) throws -> [UInt8] {
    let digits = Array(hex)
    return try stride(from: 0, to: digits.count, by: 2).map {
      try #require(UInt8(String(digits[$0...$0 + 1]), radix: 16))
    }
  }

  private static func key(_ seed: [UInt8]) -> PlayerKey {
    var secret = SecretBytes(zeros: 32)
    secret.withUnsafeMutableBytes { $0.copyBytes(from: seed) }
    return PlayerKey(seed: secret)
  }

  @Test func vectorsOfAnotherImplementation() throws {
    let vectors = try Self.vectors()
    let author = Self.key(try Self.bytes(vectors.seed))
    let server = PlayerID(publicKey: Digest(try Self.bytes(vectors.server)))
    let id = author.id
    let publicKey = try Self.bytes(vectors.author)
    #expect(author.id.publicKey.bytes == publicKey)
    #expect(vectors.cases.count == 4)
    for one in vectors.cases {
      let whole = try Self.bytes(one.content)
      let content = try MessageContent(whole)
      #expect(content.encoded() == whole)
      let proof = AuthorProof(try #require(content.proof))
      let expected = (proof: try Self.bytes(one.proof), body: try Self.bytes(one.body))
      #expect(proof.bytes == expected.proof)
      #expect(proof.run == UInt64(one.run, radix: 16) && proof.number == one.number)
      var statement = AuthorStatement(
        application: one.application, server: server, run: proof.run, number: proof.number, format: content.format,
        action: content.action, body: content.body)
      #expect(one.format == content.format.rawValue && one.action == content.action)
      #expect(content.body == expected.body)
      let signature = statement.sign(author)
      #expect(signature == proof.signature)
      #expect(statement.isSigned(by: id, signature))

      // Each field counts.
      #expect(!statement.isSigned(by: server, proof.signature))
      let changes: [(inout AuthorStatement) -> Void] = [
        { $0.application += "x" }, { $0.server = id }, { $0.run ^= 1 },
        { $0.number ^= 1 }, { $0.format = $0.format == .text ? .bytes : .text }, { $0.action += "x" },
        { $0.body.append(0) },
      ]
      for change in changes {
        let before = statement
        change(&statement)
        #expect(!statement.isSigned(by: author.id, proof.signature))
        statement = before
      }
    }
  }

  /// What ends early, and each byte flipped: an error or another message, never a trap, never the same proof.
  @Test func hostileContent() throws {
    for one in try Self.vectors().cases {
      let whole = try Self.bytes(one.content)
      let size = whole.count - one.body.count / 2
      for count in 0..<size where count > 0 { #expect((try? MessageContent(Array(whole[..<count]))) == nil) }
      for place in 0..<size {
        var bytes = whole
        bytes[place] ^= 0x10
        guard let content = try? MessageContent(bytes) else { continue }
        #expect(content.encoded() == bytes)
      }
    }
  }

  @Test func onlyBlankProofsAreMade() throws {
    var signer = AuthorSigner(run: 7)
    let author = Self.key([UInt8](repeating: 1, count: 32))
    let server = author.id
    for (time, by) in [(nil, nil), (5, nil), (nil, server.publicKey.bytes), (5, server.publicKey.bytes)]
      as [(UInt32?, [UInt8]?)]
    {
      let blank = MessageContent(
        format: .text, time: time, author: by, proof: AuthorProof.blank, action: "say", body: Array("hello".utf8))
      var bytes = blank.encoded()
      #expect(MessageContent.blankProof(in: bytes) != nil)
      signer.sign(&bytes, key: author, application: "a/1", server: server)
      #expect(MessageContent.blankProof(in: bytes) == nil)
      var signed = try MessageContent(bytes)
      let made = bytes
      signer.sign(&bytes, key: author, application: "a/1", server: server)
      #expect(bytes == made)
      signed.proof = AuthorProof.blank
      #expect(signed == blank)
    }
    var plain = MessageContent(format: .bytes, action: "", body: [UInt8](repeating: 0, count: 100)).encoded()
    let before = plain
    signer.sign(&plain, key: author, application: "a/1", server: server)
    #expect(plain == before)
    for short in [[], [0x08], [0x08] + [UInt8](repeating: 0, count: 79)] as [[UInt8]] {
      #expect(MessageContent.blankProof(in: short) == nil)
    }
  }
}
