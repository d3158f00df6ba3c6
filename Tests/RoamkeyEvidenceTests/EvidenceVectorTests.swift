import Foundation
import RoamkeyCrypto
import RoamkeyEngine
import RoamkeyWire
import Testing

@testable import RoamkeyEvidence

/// EVIDENCE §2 to §4: files that another implementation has made, read and written.
struct EvidenceVectorTests {
  struct Vectors: Decodable {
    struct Case: Decodable, CustomTestStringConvertible {
      let name: String
      let role: UInt8
      let app: String
      let h: String
      let parts: [Part]
      var testDescription: String { name }
    }
    struct Part: Decodable {
      let records: [Record]
      let file: String
    }
    struct Record: Decodable {
      let kind: String
      let time: UInt64
      let number: UInt64?
      let blinder: String?
      let frames: String?
      let plaintext: String?
      let count: UInt64?
      let why: UInt8?
    }
    struct Attack: Decodable, CustomTestStringConvertible {
      let name: String
      let code: String
      let parts: [String]
      var testDescription: String { name }
    }
    let playerSeed: String
    let serverSeed: String
    let genuine: [Case]
    let refused: [Attack]
  }

  static func vectors() throws -> Vectors {
    let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Vectors/evidence.json")
    return try JSONDecoder().decode(Vectors.self, from: Data(contentsOf: url))
  }

  private static func bytes(_ hex: String) -> [UInt8] {
    let digits = hex.utf8.map { UInt8($0 > 0x39 ? $0 - 0x57 : $0 - 0x30) }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
  }

  private static func key(_ hex: String) -> PlayerKey {
    var seed = bytes(hex)
    return PlayerKey(seed: SecretBytes(wiping: &seed))
  }

  @Test(arguments: try EvidenceVectorTests.vectors().genuine)
  func reading(vector: Vectors.Case) throws {
    let vectors = try Self.vectors()
    let folder = try EvidenceFolder()
    // In any order.
    let paths = try vector.parts.enumerated().reversed().map { try folder.write(Self.bytes($1.file), "\($0)") }
    let ids = (player: Self.key(vectors.playerSeed).id, server: Self.key(vectors.serverSeed).id)
    let report = try #require(EvidenceReport.check(paths, player: ids.player, server: ids.server).first)
    #expect(report.refusal == nil)
    #expect(report.files == paths.reversed())
    #expect(report.header?.application == vector.app)
    #expect(report.header?.recorder.rawValue == vector.role)
    let records = vector.parts.flatMap(\.records)
    let packets = records.filter { $0.kind == "packet" }
    #expect(report.summary.packets == UInt64(packets.count))
    #expect(report.summary.missed == records.compactMap(\.count).reduce(0, +))
    #expect(report.summary.gaps == UInt64(records.count { $0.kind == "gap" }))
    #expect(report.summary.end?.rawValue == records.last?.why)
    #expect(report.missingParts.isEmpty)
    guard let part = vector.parts.first, !packets.isEmpty else { return }
    let found = try read(Self.bytes(part.file)).packets
    #expect(found.map(\.number) == part.records.compactMap(\.number))
    #expect(found.map(\.frames) == part.records.compactMap(\.frames).map(Self.bytes))
  }

  @Test(arguments: try EvidenceVectorTests.vectors().genuine)
  func writing(vector: Vectors.Case) throws {
    let vectors = try Self.vectors()
    let role = try #require(EvidenceHeader.Recorder(rawValue: vector.role))
    let recorder = Self.key(role == .server ? vectors.serverSeed : vectors.playerSeed)
    var header = EvidenceHeader(
      application: vector.app, server: Self.key(vectors.serverSeed).id, player: Self.key(vectors.playerSeed).id,
      recorder: role, handshakeHash: Digest(Self.bytes(vector.h)))
    for part in vector.parts {
      var bytes: [UInt8] = []
      var writer = EvidenceWriter(header, into: &bytes)
      for record in part.records {
        switch record.kind {
        case "packet":
          let plaintext = Self.bytes(try #require(record.plaintext))
          let packet = SignedPacket(
            number: try #require(record.number), blinder: Digest(Self.bytes(try #require(record.blinder))))
          writer.add(packet, plaintext.span.bytes, time: record.time, into: &bytes)
        case "gap": writer.addGap(try #require(record.count), time: record.time, into: &bytes)
        case "checkpoint": writer.addCheckpoint(recorder, time: record.time, into: &bytes)
        default:
          let why = try #require(record.why.flatMap(EvidenceEnd.init))
          writer.addEnd(why, recorder, time: record.time, into: &bytes)
        }
      }
      #expect(bytes == Self.bytes(part.file))
      header = writer.next
    }
  }

  /// Most of these are lies that the recorder itself has signed for.
  @Test(arguments: try EvidenceVectorTests.vectors().refused)
  func refusing(attack: Vectors.Attack) throws {
    let folder = try EvidenceFolder()
    let paths = try attack.parts.enumerated().map { try folder.write(Self.bytes($1), "\($0)") }
    let report = try #require(EvidenceReport.check(paths).first)
    #expect(report.refusal?.reason.code == attack.code)
  }
}
