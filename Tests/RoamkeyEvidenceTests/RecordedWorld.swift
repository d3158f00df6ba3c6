import Foundation
import RoamkeyCrypto
import RoamkeyEngine
import RoamkeyWire

@testable import RoamkeyEvidence

/// Two keys and what one of them has sent in a session with the other, signed as PROTOCOL §4 has it.
struct RecordedWorld {
  let recorder: EvidenceHeader.Recorder
  let application: String
  let handshake: Digest
  let player = RecordedWorld.key(1).id
  let server = RecordedWorld.key(2).id
  /// Any: an honest one follows from the session's keys.
  let blinder = Digest([UInt8](repeating: 7, count: 32))

  init(_ recorder: EvidenceHeader.Recorder = .server, application: String = "galaxy/1", handshake: UInt8 = 9) {
    self.recorder = recorder
    self.application = application
    self.handshake = Digest([UInt8](repeating: handshake, count: 32))
  }

  static func key(_ seed: UInt8) -> PlayerKey {
    var bytes = [UInt8](repeating: seed, count: 32)
    return PlayerKey(seed: SecretBytes(wiping: &bytes))
  }

  var senderSeed: UInt8 { recorder == .server ? 1 : 2 }
  var recorderSeed: UInt8 { recorder == .server ? 2 : 1 }

  var header: EvidenceHeader {
    EvidenceHeader(
      application: application, server: server, player: player, recorder: recorder, handshakeHash: handshake)
  }

  // MARK: Packets

  struct Packet {
    var number: UInt64
    var plaintext: [UInt8]
  }

  func packet(_ number: UInt64, _ frames: [UInt8] = [1]) -> Packet { packets(number, [frames])[0] }

  /// Packets that share a signature.
  func packets(_ first: UInt64, _ frames: [[UInt8]]) -> [Packet] {
    var tree = SigningTree()
    tree.begin(depth: frames.count == 1 ? 0 : (frames.count - 1).bitWidth - (frames.count - 1).leadingZeroBitCount)
    for (i, bytes) in frames.enumerated() {
      tree.append(
        SignatureTrailer.leaf(
          of: header.sessionID, recorder == .server ? .initiatorToResponder : .responderToInitiator,
          number: first + UInt64(i), frames: bytes.span.bytes, blinder: blinder))
    }
    tree.sign(with: Self.key(senderSeed))
    return frames.enumerated().map { i, bytes in
      let size = SignatureTrailer.size(depth: tree.depth)
      var plaintext = bytes + [UInt8](repeating: 0, count: size)
      plaintext.withUnsafeMutableBytes { target in
        var span = MutableRawSpan(_unsafeBytes: target)
        tree.writeTrailer(of: i, to: &span, at: bytes.count)
      }
      return Packet(number: first + UInt64(i), plaintext: plaintext)
    }
  }

  /// A frame with a whole message.
  static func message(_ content: MessageContent, _ sequence: UInt64, _ stream: StreamID = reliable) -> [UInt8] {
    piece(content.encoded(), nil, sequence, stream)
  }

  static let reliable = StreamID(channel: 0, delivery: .reliableOrdered)

  /// A frame with a piece of a content, or all of it.
  static func piece(
    _ content: [UInt8], _ range: Range<Int>?, _ sequence: UInt64, _ stream: StreamID = reliable
  ) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: (range ?? content.indices).count + 64)
    let count = bytes.withUnsafeMutableBytes { buffer in
      var output = OutputRawSpan(buffer: buffer, initializedCount: 0)
      output.appendMessage(stream, sequence: sequence, content: content, range: range ?? content.indices)
      return output.finalize(for: buffer)
    }
    return Array(bytes[..<count])
  }

  // MARK: Files

  /// A part with these packets, which the recorder has signed for.
  func file(_ packets: [Packet], gap: UInt64 = 0, end: EvidenceEnd? = .sessionEnded) -> [UInt8] {
    var bytes: [UInt8] = []
    var writer = EvidenceWriter(header, into: &bytes)
    for packet in packets { add(packet, to: &writer, &bytes) }
    if gap > 0 { writer.addGap(gap, time: 1_000_000, into: &bytes) }
    if let end { writer.addEnd(end, Self.key(recorderSeed), time: 2_000_000, into: &bytes) }
    return bytes
  }

  func add(_ packet: Packet, to writer: inout EvidenceWriter, _ bytes: inout [UInt8]) {
    writer.add(
      SignedPacket(number: packet.number, blinder: blinder), packet.plaintext.span.bytes,
      time: 1_000_000 + packet.number, into: &bytes)
  }
}

/// Reads a part from pieces of so many bytes.
func read(_ bytes: [UInt8], pieces: Int = .max) throws(EvidenceError) -> (packets: [EvidencePacket], EvidenceSummary) {
  var reader = EvidenceReader()
  var packets: [EvidencePacket] = []
  var position = 0
  while position < bytes.count {
    let end = position + min(pieces, bytes.count - position)
    reader.append(Array(bytes[position..<end]))
    while let packet = try reader.next() { packets.append(packet) }
    position = end
  }
  try reader.finish()
  return (packets, reader.summary)
}

/// What is said of a part that is refused; nil where it is accepted.
func refusal(of bytes: [UInt8]) -> EvidenceError? {
  do throws(EvidenceError) {
    _ = try read(bytes)
    return nil
  } catch {
    return error
  }
}

/// A folder that goes when the test ends.
final class EvidenceFolder {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("roamkey-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func write(_ bytes: [UInt8], _ name: String) throws -> String {
    try Data(bytes).write(to: URL(fileURLWithPath: path + "/" + name))
    return path + "/" + name
  }
}
