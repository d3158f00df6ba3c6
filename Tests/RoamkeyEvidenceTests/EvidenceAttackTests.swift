import RoamkeyCrypto
import RoamkeyEngine
import RoamkeyWire
import Testing

@testable import RoamkeyEvidence

/// EVIDENCE §4: what was altered, swapped, cut or put together is refused, and the reason is told.
struct EvidenceAttackTests {
  static let worlds = [RecordedWorld(.server), RecordedWorld(.player)]

  @Test(arguments: [EvidenceHeader.Recorder.server, .player])
  func aGenuineFileIsAccepted(recorder: EvidenceHeader.Recorder) throws {
    let world = RecordedWorld(recorder)
    let packets =
      [world.packet(0)]
      + (1...4).flatMap { depth in
        world.packets(UInt64(100 * depth), (0..<(1 << depth)).map { [UInt8](repeating: 1, count: 1 + $0) })
      }
    let bytes = world.file(packets, gap: 3)
    for pieces in [1, 7, 64, .max] {
      let (found, summary) = try read(bytes, pieces: pieces)
      #expect(found.map(\.number) == packets.map(\.number))
      #expect(summary.packets == 31 && summary.missed == 3 && summary.gaps == 1)
      #expect(summary.numbers == 0...415)
      #expect(summary.end == .sessionEnded)
    }
  }

  /// Every bit of a small file counts for something.
  @Test(arguments: [EvidenceHeader.Recorder.server, .player])
  func aFlippedBitIsRefused(recorder: EvidenceHeader.Recorder) {
    let world = RecordedWorld(recorder)
    let bytes = world.file([world.packet(0)] + world.packets(5, [[1], [1, 1]]), gap: 1)
    #expect(refusal(of: bytes) == nil)
    for place in bytes.indices {
      for bit in 0..<8 {
        var altered = bytes
        altered[place] ^= 1 << UInt8(bit)
        #expect(refusal(of: altered) != nil, "bit \(bit) of byte \(place)")
      }
    }
  }

  @Test func aCutIsRefusedAtEveryLength() throws {
    let world = RecordedWorld()
    var bytes: [UInt8] = []
    var writer = EvidenceWriter(world.header, into: &bytes)
    for number in 0..<4 {
      world.add(world.packet(UInt64(number)), to: &writer, &bytes)
      writer.addCheckpoint(RecordedWorld.key(2), time: 5, into: &bytes)
    }
    let checkpoints = bytes.count
    writer.addEnd(.sessionEnded, RecordedWorld.key(2), time: 6, into: &bytes)
    #expect(refusal(of: bytes) == nil)
    for count in 0..<bytes.count {
      guard case .truncated(let records, let signed) = refusal(of: Array(bytes[..<count])) else {
        Issue.record("\(count) bytes are not told as cut off")
        continue
      }
      #expect(signed <= records && records - signed < 2, "\(count)")
      if count >= checkpoints { #expect(signed == 8) }
    }
    #expect(refusal(of: bytes + [1]) == .continued(record: 9))
  }

  @Test func swappedRepeatedAndMissingRecordsAreRefused() {
    let world = RecordedWorld()
    let start = world.file([], end: nil).count
    let size = world.file([world.packet(0)], end: nil).count - start
    let bytes = world.file([world.packet(0), world.packet(1), world.packet(2)])
    func record(_ place: Int) -> ArraySlice<UInt8> { bytes[(start + place * size)..<(start + (place + 1) * size)] }
    let (head, tail) = (bytes[..<start], bytes[(start + 3 * size)...])
    func file(_ places: Int...) -> [UInt8] { Array(head + places.flatMap { record($0) } + tail) }
    #expect(refusal(of: file(0, 1, 2)) == nil)
    #expect(refusal(of: file(1, 0, 2)) == .reordered(record: 1, found: 2))
    #expect(refusal(of: file(0, 2, 1)) == .reordered(record: 2, found: 3))
    #expect(refusal(of: file(0, 2)) == .reordered(record: 2, found: 3))
    #expect(refusal(of: file(0, 1)) == .reordered(record: 3, found: 4))
    #expect(refusal(of: file(0, 0, 1, 2)) == .reordered(record: 2, found: 1))
    // Numbered anew, by somebody who has not the recorder's key.
    var renumbered = file(1, 0, 2)
    renumbered[start + 4] = 1
    renumbered[start + size + 4] = 2
    #expect(refusal(of: renumbered) == .altered(record: 4))
  }

  @Test func aPacketOfAnotherSessionIsRefused() {
    let world = RecordedWorld()
    let others = [RecordedWorld(handshake: 8), RecordedWorld(application: "galaxy/2"), RecordedWorld(.player)]
    for other in others {
      let bytes = world.file([world.packet(0), other.packet(1), world.packet(2)])
      #expect(refusal(of: bytes) == .wronglyAttributed(record: 2))
    }
    #expect(refusal(of: world.file([world.packet(0), world.packet(1), world.packet(2)])) == nil)
  }

  /// The recorder has its key, and signs for what it says.
  @Test func aRecorderCannotPutWordsIntoSomebodysMouth() {
    let world = RecordedWorld()
    var forged = world.packet(1, [1, 1, 1])
    forged.plaintext[2] = 0
    #expect(refusal(of: world.file([world.packet(0), forged])) == .wronglyAttributed(record: 2))
    var moved = world.packet(1)
    moved.number = 2
    #expect(refusal(of: world.file([moved])) == .wronglyAttributed(record: 1))
    #expect(refusal(of: world.file([world.packet(0), world.packet(0)])) == .repeated(record: 2, packet: 0))
    // Without its signature nobody can tell who has altered it.
    #expect(refusal(of: world.file([forged], end: nil)) == .altered(record: 1))
  }
}
