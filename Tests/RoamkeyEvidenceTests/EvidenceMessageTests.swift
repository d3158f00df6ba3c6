import RoamkeyCrypto
import RoamkeyEngine
import RoamkeySimulator
import RoamkeyWire
import Testing

@testable import RoamkeyEvidence

/// Messages are put together from the packets that are there, and who has written them is told apart.
struct EvidenceMessageTests {
  private static func content(_ text: String, author: PlayerID? = nil) -> MessageContent {
    MessageContent(format: .text, author: author?.publicKey.bytes, action: "chat", body: Array(text.utf8))
  }

  private static func packet(_ number: UInt64, _ frames: [UInt8]) -> EvidencePacket {
    EvidencePacket(record: 1, number: number, time: number, frames: frames)
  }

  private static func text(_ message: EvidenceMessage) -> String { String(decoding: message.body, as: UTF8.self) }

  @Test func piecesInAnyOrderMakeAMessageOnce() {
    var random = SeededRandom(seed: 36)
    let text = String((0..<5000).map { _ in "abcdefgh".randomElement(using: &random) ?? "a" })
    let content = Self.content(text).encoded()
    var messages = EvidenceMessages(RecordedWorld().header)
    var cuts = (0..<40).map { _ in Int.random(in: 1..<content.count, using: &random) }
    cuts = Array(Set(cuts + [0, content.count])).sorted()
    var pieces = zip(cuts, cuts.dropFirst()).map { $0..<$1 }
    // Some come again, cut differently.
    pieces += (0..<20).map { _ in
      let start = Int.random(in: 0..<content.count, using: &random)
      return start..<Int.random(in: (start + 1)...content.count, using: &random)
    }
    pieces.shuffle(using: &random)
    var found: [EvidenceMessage] = []
    for (number, range) in pieces.enumerated() {
      found += messages.take(Self.packet(UInt64(number), RecordedWorld.piece(content, range, 3)))
    }
    found += messages.take(Self.packet(99, RecordedWorld.piece(content, nil, 3)))
    #expect(found.map(Self.text) == [text])
    #expect(messages.incomplete == 0)
  }

  @Test func severalFramesOfAPacketAndWhatIsNoMessage() {
    var messages = EvidenceMessages(RecordedWorld().header)
    let frames =
      [0, 1] + RecordedWorld.message(Self.content("a"), 0) + [0, 0] + RecordedWorld.message(Self.content("b"), 1)
    #expect(messages.take(Self.packet(0, frames)).map(Self.text) == ["a", "b"])
    // The same again, as a sender does that believes it lost; and what cannot be read, behind it.
    let again = RecordedWorld.message(Self.content("b"), 1) + RecordedWorld.message(Self.content("c"), 2) + [0xff]
    #expect(messages.take(Self.packet(1, again)).map(Self.text) == ["c"])
    #expect(messages.incomplete == 1)
    let broken = RecordedWorld.piece([0x83], nil, 3)
    #expect(messages.take(Self.packet(2, broken)).isEmpty)
    #expect(messages.incomplete == 2)
    // Where evidence begins in the middle, sequences do, too.
    let late = RecordedWorld.message(Self.content("d"), 1 << 40)
    #expect(messages.take(Self.packet(3, late)).map(Self.text) == ["d"])
    #expect(messages.take(Self.packet(4, late)).isEmpty)
  }

  @Test func memoryIsBoundedWhateverIsAnnounced() {
    var messages = EvidenceMessages(RecordedWorld().header)
    let content = [UInt8](repeating: 1, count: 4000)
    for sequence in 0..<5000 {
      _ = messages.take(Self.packet(0, RecordedWorld.piece(content, 0..<1000, UInt64(sequence))))
    }
    // Of 5000 that were begun 256 wait for the rest.
    #expect(messages.incomplete == 5000 - 256)
    let rest = messages.take(Self.packet(1, RecordedWorld.piece(content, 1000..<4000, 10)))
    #expect(rest.isEmpty, "the oldest were forgotten")
    // What is not whole at the end never will be.
    messages.finish()
    #expect(messages.incomplete == 5001)
    messages.finish()
    #expect(messages.incomplete == 5001)
  }

  /// Where each piece copied what came before, this would take minutes.
  @Test(.timeLimit(.minutes(1))) func aMessageOfManyPiecesTakesTimeForEachOnce() {
    var messages = EvidenceMessages(RecordedWorld().header)
    let content = [UInt8](repeating: 1, count: 24 << 20)
    for start in stride(from: 0, to: content.count - 1000, by: 1000) {
      #expect(messages.take(Self.packet(0, RecordedWorld.piece(content, start..<(start + 1000), 1))).isEmpty)
    }
    #expect(messages.incomplete == 0)
  }

  /// A sender may jump ahead with each message. A simple list says what is to be expected.
  @Test(.timeLimit(.minutes(1))) func whatComesAgainIsToldHoweverFarItJumps() {
    var random = SeededRandom(seed: 37)
    var messages = EvidenceMessages(RecordedWorld().header)
    var (seen, end) = (Set<UInt64>(), UInt64(0))
    for _ in 0..<20_000 {
      let back = UInt64.random(in: 0..<200, using: &random)
      let jump = UInt64.random(in: 0..<32_768, using: &random)
      let sequence = Bool.random(using: &random) ? end + jump : end - min(end, back * back)
      let isOld = sequence < end && end - sequence <= 1 << 15 && seen.contains(sequence)
      let found = messages.take(Self.packet(0, RecordedWorld.message(Self.content("a"), sequence)))
      #expect(found.isEmpty == isOld)
      seen.insert(sequence)
      end = max(end, sequence + 1)
    }
  }

  @Test func whoHasWrittenIt() throws {
    let world = RecordedWorld(.player)
    let author = RecordedWorld.key(5)
    var signed = Self.content("proven", author: author.id)
    let statement = AuthorStatement(
      application: world.application, server: world.server, run: 7, number: 1, format: .text, action: "chat",
      body: signed.body)
    signed.proof = AuthorProof(run: 7, number: 1, signature: statement.sign(author)).bytes
    var stolen = signed
    stolen.body = Array("altered".utf8)
    var blank = signed
    blank.proof = AuthorProof.blank
    let contents = [Self.content("host"), Self.content("said", author: author.id), signed, stolen, blank]
    var messages = EvidenceMessages(world.header)
    let found = contents.enumerated().flatMap { place, content in
      messages.take(Self.packet(UInt64(place), RecordedWorld.message(content, UInt64(place))))
    }
    #expect(
      found.map(\.authorship) == [
        .sender, .said(author.id), .proven(author.id), .badProof(author.id), .said(author.id),
      ])
    // The same proof in another application is none.
    var elsewhere = EvidenceMessages(RecordedWorld(.player, application: "galaxy/2").header)
    let other = elsewhere.take(Self.packet(0, RecordedWorld.message(signed, 0)))
    #expect(other.map(\.authorship) == [.badProof(author.id)])
    // What a player signs has no author: it is the player.
    signed.author = nil
    let own = AuthorStatement(
      application: world.application, server: world.server, run: 7, number: 2, format: .text, action: "chat",
      body: signed.body)
    signed.proof = AuthorProof(run: 7, number: 2, signature: own.sign(RecordedWorld.key(1))).bytes
    var direct = EvidenceMessages(RecordedWorld(.server).header)
    let message = direct.take(Self.packet(0, RecordedWorld.message(signed, 0)))
    #expect(message.map(\.authorship) == [.proven(world.player)])
  }
}
