import RoamkeyCrypto
import RoamkeyEngine
import RoamkeyEvidence
import RoamkeyWire

extension FuzzTargets {
  /// A file of evidence: bytes of anybody, and files whose signatures are right and which are then perhaps altered.
  static let evidence = FuzzTarget(
    "evidence", longestInput: 2000,
    milestones: ["header", "packet", "genuine", "altered", "message", "pieces", "gap", "refused"]
  ) { input, reached in
    let mode = input.byte()
    guard mode & 1 == 1 else { return readAnything(input.rest(), pieces: 1 + Int(mode >> 1), &reached) }
    let change = input.int16()
    var bytes = written(&input, role: mode & 2 == 0 ? .server : .player, &reached)
    let pieces = mode & 4 == 0 ? bytes.count : 7
    guard case .success(let packets) = readFile(bytes, pieces: pieces, &reached) else {
      preconditionFailure("a genuine file is refused")
    }
    reached.reach(2)
    put(packets, together: &reached)
    guard change > 0 else { return }
    bytes[change % bytes.count] ^= UInt8(1) << UInt8(change >> 8 & 7)
    guard case .failure = readFile(bytes, pieces: pieces, &reached) else {
      preconditionFailure("an altered file is accepted")
    }
    reached.reach(3)
  }

  private static func readAnything(_ bytes: [UInt8], pieces: Int, _ reached: inout Milestones) {
    switch readFile(bytes, pieces: pieces, &reached) {
    case .success: preconditionFailure("bytes of anybody are evidence")
    case .failure(let error):
      precondition(!error.description.isEmpty && !error.code.isEmpty, "an error without words")
      reached.reach(7)
    }
    // However it is cut, the same is told of it.
    let whole = readFile(bytes, pieces: max(1, bytes.count), &reached)
    guard case .failure(let one) = whole, case .failure(let two) = readFile(bytes, pieces: pieces, &reached) else {
      preconditionFailure("it is evidence now")
    }
    precondition(one == two, "what is told depends on the pieces")
    // Frames that nobody has signed: somebody with a key may sign any.
    put([EvidencePacket(record: 1, number: 0, time: 0, frames: bytes)], together: &reached)
  }

  /// A file from orders: packets whose frames are the input's bytes, gaps and checkpoints.
  private static func written(
    _ input: inout FuzzInput, role: EvidenceHeader.Recorder, _ reached: inout Milestones
  ) -> [UInt8] {
    let header = EvidenceHeader(
      application: "fuzz/1", server: FuzzKeys.server, player: FuzzKeys.client, recorder: role,
      handshakeHash: Digest([UInt8](repeating: 9, count: Digest.size)))
    let recorder = FuzzKeys.make(role == .server ? .server : .client)
    var bytes: [UInt8] = []
    var writer = EvidenceWriter(header, into: &bytes)
    var number: UInt64 = 0
    for time in 0..<32 where !input.isEmpty {
      switch input.number(below: 4) {
      case 0:
        writer.addGap(1 + UInt64(input.byte()), time: UInt64(time), into: &bytes)
        reached.reach(6)
      case 1: writer.addCheckpoint(recorder, time: UInt64(time), into: &bytes)
      default:
        number += 1 + UInt64(input.byte())
        let plaintext = signed(input.counted(), number, header)
        let packet = SignedPacket(number: number, blinder: Digest())
        writer.add(packet, plaintext.span.bytes, time: UInt64(time), into: &bytes)
      }
    }
    writer.addEnd(.sessionEnded, recorder, time: 99, into: &bytes)
    return bytes
  }

  private static func signed(_ frames: [UInt8], _ number: UInt64, _ header: EvidenceHeader) -> [UInt8] {
    let isServer = header.recorder == .server
    let leaf = SignatureTrailer.leaf(
      of: header.sessionID, isServer ? .initiatorToResponder : .responderToInitiator, number: number,
      frames: frames.span.bytes, blinder: Digest())
    let signature = SignatureTrailer.withSignedBytes(depth: 0, root: leaf) {
      FuzzKeys.sign($0, as: isServer ? .client : .server)
    }
    return frames + signature + [0]
  }

  private static func readFile(
    _ bytes: [UInt8], pieces: Int, _ reached: inout Milestones
  ) -> Result<[EvidencePacket], EvidenceError> {
    var packets: [EvidencePacket] = []
    var reader = EvidenceReader()
    defer { if reader.header != nil { reached.reach(0) } }
    do throws(EvidenceError) {
      for start in stride(from: 0, to: bytes.count, by: pieces) {
        reader.append(Array(bytes[start..<min(bytes.count, start + pieces)]))
        while let packet = try reader.next() { packets.append(packet) }
      }
      try reader.finish()
    } catch {
      return .failure(error)
    }
    precondition(reader.summary.packets == UInt64(packets.count), "packets are counted wrongly")
    if !packets.isEmpty { reached.reach(1) }
    return .success(packets)
  }

  private static func put(_ packets: [EvidencePacket], together reached: inout Milestones) {
    let header = EvidenceHeader(
      application: "fuzz/1", server: FuzzKeys.server, player: FuzzKeys.client, recorder: .server,
      handshakeHash: Digest())
    var messages = EvidenceMessages(header)
    for packet in packets where !messages.take(packet).isEmpty { reached.reach(4) }
    let before = messages.incomplete
    messages.finish()
    if messages.incomplete > before { reached.reach(5) }
  }
}
