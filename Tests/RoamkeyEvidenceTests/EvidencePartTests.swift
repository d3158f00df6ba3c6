import RoamkeyCrypto
import RoamkeyEngine
import RoamkeyWire
import Testing

@testable import RoamkeyEvidence

/// Files as `verify` gets them: parts that belong together or do not, ids, and what is handed on of them.
struct EvidencePartTests {
  @Test func partsGoOnWhereTheOneBeforeEnded() throws {
    let world = RecordedWorld()
    let folder = try EvidenceFolder()
    var header = world.header
    var paths: [String] = []
    for part in 0..<4 {
      var bytes: [UInt8] = []
      var writer = EvidenceWriter(header, into: &bytes)
      for i in 0..<3 { world.add(world.packet(UInt64(3 * part + i)), to: &writer, &bytes) }
      writer.addEnd(part < 3 ? .continued : .recorderStopped, RecordedWorld.key(2), time: 9, into: &bytes)
      paths.append(try folder.write(bytes, "\(part)"))
      header = writer.next
    }
    func check(_ places: Int...) -> EvidenceReport { EvidenceReport.check(places.map { paths[$0] })[0] }
    let all = check(3, 1, 0, 2)
    #expect(all.isGenuine && all.missingParts.isEmpty && all.summary.packets == 12 && all.summary.absent == 0)
    #expect(all.files == paths && all.summary.end == .recorderStopped)
    #expect(check(0, 1).isGenuine && check(0, 1).summary.end == .continued)
    let holed = check(0, 3)
    #expect(holed.isGenuine && holed.missingParts == [2...3] && holed.summary.absent == 6)
    #expect(check(2).missingParts == [1...2])
    #expect(check(1, 1).refusal?.reason == .partTwice(part: 2))
    // A first part that the recorder has signed as well, but which is not the one that the second follows.
    paths[0] = try folder.write(world.file([world.packet(50)], end: .continued), "other")
    #expect(check(0, 1).refusal?.reason == .detached(part: 2))
    #expect(check(0, 1).refusal?.file == paths[1])
  }

  /// What came in a part that is missing is not known; what came before it still is.
  @Test func aPacketComesOnceAlsoAcrossAPartThatIsMissing() throws {
    let world = RecordedWorld()
    let folder = try EvidenceFolder()
    func paths(_ numbers: [UInt64]) throws -> [String] {
      var header = world.header
      return try numbers.enumerated().map { part, number in
        var bytes: [UInt8] = []
        var writer = EvidenceWriter(header, into: &bytes)
        world.add(world.packet(number), to: &writer, &bytes)
        writer.addEnd(.continued, RecordedWorld.key(2), time: 9, into: &bytes)
        header = writer.next
        return try folder.write(bytes, "\(part)")
      }
    }
    let repeating = try paths([5, 6, 5])
    #expect(EvidenceReport.check([repeating[0], repeating[2]])[0].refusal?.reason == .repeated(record: 1, packet: 5))
    let honest = try paths([5, 6, 7])
    #expect(EvidenceReport.check([honest[0], honest[2]])[0].isGenuine)
  }

  /// A peer decides how much it sends: the writer says that something was left out, and goes on.
  @Test func whatNoRecordCanHoldIsLeftOutAndTold() throws {
    let world = RecordedWorld()
    var bytes: [UInt8] = []
    var writer = EvidenceWriter(world.header, into: &bytes)
    let trailer = world.packet(0).plaintext.count - 1
    for (place, size) in [1400, 1401, 5000, 0].enumerated() {
      let packet =
        size == 0
        ? RecordedWorld.Packet(number: 9, plaintext: [])
        : world.packet(UInt64(place), [UInt8](repeating: 1, count: size - trailer))
      let isKept = writer.add(
        SignedPacket(number: packet.number, blinder: world.blinder), packet.plaintext.span.bytes, time: 1, into: &bytes)
      #expect(isKept == (size == 1400))
    }
    writer.addEnd(.sessionEnded, RecordedWorld.key(2), time: 2, into: &bytes)
    let (packets, summary) = try read(bytes)
    #expect(packets.map(\.number) == [0])
    #expect(summary.packets == 1 && summary.missed == 3 && summary.gaps == 3)
  }

  /// Messages are handed on once the recorder has signed for their order, and none of what stands behind its last
  /// signature.
  @Test func messagesWaitForTheRecordersSignature() throws {
    let world = RecordedWorld()
    let folder = try EvidenceFolder()
    func file(signer: UInt8) throws -> String {
      var bytes: [UInt8] = []
      var writer = EvidenceWriter(world.header, into: &bytes)
      for (number, text) in ["one", "two", "three", "four"].enumerated() {
        let content = MessageContent(format: .text, author: nil, action: "", body: Array(text.utf8))
        world.add(
          world.packet(UInt64(number), RecordedWorld.message(content, UInt64(number))), to: &writer, &bytes)
        if number == 1 { writer.addCheckpoint(RecordedWorld.key(2), time: 5, into: &bytes) }
      }
      writer.addEnd(.sessionEnded, RecordedWorld.key(signer), time: 6, into: &bytes)
      return try folder.write(bytes, "\(signer)")
    }
    func texts(_ path: String) -> (EvidenceReport, [String]) {
      var texts: [String] = []
      let reports = EvidenceReport.check([path]) { texts.append(String(decoding: $1.body, as: UTF8.self)) }
      return (reports[0], texts)
    }
    let (good, all) = try texts(file(signer: 2))
    #expect(good.isGenuine && all == ["one", "two", "three", "four"])
    let (bad, signed) = try texts(file(signer: 5))
    #expect(bad.refusal?.reason == .altered(record: 6) && signed == ["one", "two"])
  }

  @Test func idsThatWereAskedForMustBeThere() throws {
    let world = RecordedWorld()
    let folder = try EvidenceFolder()
    let path = try folder.write(world.file([world.packet(0)]), "a")
    let other = RecordedWorld.key(5).id
    #expect(EvidenceReport.check([path], player: world.player, server: world.server)[0].isGenuine)
    let player = EvidenceReport.check([path], player: other, server: world.server)[0].refusal?.reason
    #expect(player == .wrongPlayer(expected: other, found: world.player))
    let server = EvidenceReport.check([path], player: world.player, server: world.player)[0].refusal?.reason
    #expect(server == .wrongServer(expected: world.player, found: world.server))
    #expect(player?.isOfSomebodyElse == true && server?.isOfSomebodyElse == true)
  }

  @Test func whatIsNoFileIsToldAsSuch() throws {
    let folder = try EvidenceFolder()
    for path in [folder.path, folder.path + "/none", "", "a\0b", "/dev/zero"] {
      let reports = EvidenceReport.check([path])
      guard case .unusable = reports.first?.refusal?.reason else {
        Issue.record("\(path): \(String(describing: reports.first?.refusal))")
        continue
      }
    }
    let path = try folder.write([], "empty")
    #expect(EvidenceReport.check([path])[0].refusal?.reason == .truncated(records: 0, signed: 0))
  }
}
