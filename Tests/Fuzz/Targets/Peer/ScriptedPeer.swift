import RoamkeyCrypto
import RoamkeyEngine
import RoamkeyWire

/// A peer with good keys that says whatever an input wants: frames of any kind in packets that are sealed and signed as
/// they should be. It also reads all that the engine sends, and holds it against PROTOCOL.
struct ScriptedPeer: ~Copyable {
  private var keys: SessionKeys
  private let role: FuzzKeys.Role
  private let isSigned: Bool
  /// The connection id that the engine's packets begin with.
  private let ownIDSize: Int
  /// Sizes of further ids that the engine may have been given.
  private var otherIDSizes: Set<Int> = []
  var destination: ConnectionID
  private(set) var number: UInt64 = 0
  private(set) var phase: UInt64 = 0

  private var window = ReplayWindow()
  private var phases = KeyPhaseState()
  private var verifier: SignatureVerifier
  /// Numbers that came, the newest last.
  private var received: [UInt64] = []
  private var challenges: [(data: UInt64, at: NetworkAddress)] = []
  private var packetsRead = 0

  init(
    _ keys: consuming SessionKeys, _ role: FuzzKeys.Role, isSigned: Bool, ownIDSize: Int, destination: ConnectionID
  ) {
    self.keys = keys
    self.role = role
    self.isSigned = isSigned
    self.ownIDSize = ownIDSize
    self.destination = destination
    verifier = SignatureVerifier(peer: role == .client ? FuzzKeys.server : FuzzKeys.client)
  }

  // MARK: Sending

  /// How a packet differs from what an honest peer would send.
  struct Oddity {
    var numberSize = 2
    var reserved: UInt8 = 0
    var skipped: UInt64 = 0
    var hasBadSignature = false
  }

  /// The keys of the next phase from now on.
  mutating func renewKey() {
    keys.advance(keys.sending, keepPrevious: false)
    phase += 1
  }

  /// Frames in the next packet.
  mutating func packet(_ frames: [UInt8], _ oddity: Oddity = .init()) -> [UInt8] {
    note(frames)
    number = min(number + oddity.skipped, PacketNumber.maximum - 1)
    let numberSize = oddity.numberSize
    var packet = [UInt8(numberSize - 1) | oddity.reserved | (phase & 1 == 1 ? ShortHeader.phaseBit : 0)]
    packet += destination.bytes
    for place in (0..<numberSize).reversed() { packet.append(UInt8(truncatingIfNeeded: number >> UInt64(8 * place))) }
    let headerSize = packet.count
    let frames = frames + [UInt8](repeating: 0, count: max(0, 4 - frames.count))
    packet += frames
    if isSigned { packet += trailer(frames, isBad: oddity.hasBadSignature) }
    packet += [UInt8](repeating: 0, count: ChaChaPoly.tagSize)
    packet.withUnsafeMutableBytes { bytes in
      var span = MutableRawSpan(_unsafeBytes: bytes)
      keys.protect(&span, headerSize: headerSize, numberSize: numberSize, number: number)
    }
    number += 1
    return packet
  }

  private borrowing func trailer(_ frames: [UInt8], isBad: Bool) -> [UInt8] {
    let blinder = keys.blinder(keys.sending, .current, number: number)
    let leaf = keys.leaf(keys.sending, number: number, frames: frames.span.bytes, blinder: blinder)
    var signature = SignatureTrailer.withSignedBytes(depth: 0, root: leaf) { FuzzKeys.sign($0, as: role) }
    if isBad { signature[5] ^= 1 }
    return signature + [0]
  }

  /// Connection ids that the engine is given, so that packets that begin with them are known.
  private mutating func note(_ frames: [UInt8]) {
    var position = 0
    while position < frames.count, let frame = try? Frame.read(frames.span.bytes, at: &position) {
      if case .newConnectionID(let new) = frame { otherIDSizes.insert(new.connectionID(frames.span.bytes).count) }
    }
  }

  /// An acknowledgement of all that came; nil where nothing did.
  func acknowledgement() -> [UInt8]? {
    let ranges = Self.ranges(received)
    guard !ranges.isEmpty else { return nil }
    return FuzzFrames.written { output in
      _ = output.appendAck(room: 400, delay: .zero, count: ranges.count, range: { ranges[$0] })
    }
  }

  /// The newest first, at most 32.
  private static func ranges(_ numbers: [UInt64]) -> [ClosedRange<UInt64>] {
    var ranges: [ClosedRange<UInt64>] = []
    for number in numbers.sorted(by: >) {
      if let last = ranges.last, last.lowerBound == number + 1 {
        ranges[ranges.count - 1] = number...last.upperBound
      } else if ranges.count < 32 {
        ranges.append(number...number)
      } else {
        break
      }
    }
    return ranges
  }

  /// Answers to the challenges that came, with where they came to.
  mutating func takeAnswers() -> [(frames: [UInt8], from: NetworkAddress)] {
    defer { challenges = [] }
    return challenges.map { challenge in
      (FuzzFrames.written { $0.appendPathResponse(challenge.data) }, challenge.at)
    }
  }

  // MARK: Receiving

  /// A packet of the engine's to `address`: it opens, its signature is right, and its frames are well-formed.
  /// - Returns: how many frames it has; nil for what is no packet.
  mutating func read(_ datagram: [UInt8], at address: NetworkAddress) -> Int? {
    guard let first = datagram.first, ShortHeader.isShort(first) else { return nil }
    var copy = datagram
    var opened = open(&copy, idSize: ownIDSize)
    for size in otherIDSizes where opened == nil && size != ownIDSize {
      copy = datagram
      opened = open(&copy, idSize: size)
    }
    guard let opened else { return nil }
    precondition(opened.reservedBits == 0, "the engine sets bits that are reserved")
    precondition(window.accepts(opened.number), "the engine uses a packet number twice")
    window.commit(opened.number)
    switch phases.commit(opened.phase, number: opened.number) {
    case .none: break
    case .advanced: keys.advance(keys.sending.opposite, keepPrevious: true)
    case .ranBackwards: preconditionFailure("the engine's keys run backwards")
    }
    if received.count < 2048 { received.append(opened.number) }
    packetsRead += 1
    return check(copy.span.bytes.extracting(opened.plaintext), opened, at: address)
  }

  private borrowing func open(_ datagram: inout [UInt8], idSize: Int) -> OpenedPacket? {
    datagram.withUnsafeMutableBytes { bytes in
      var span = MutableRawSpan(_unsafeBytes: bytes)
      return try? keys.open(&span, connectionIDSize: idSize, window: window, receiving: phases)
    }
  }

  private mutating func check(_ plaintext: RawSpan, _ opened: OpenedPacket, at address: NetworkAddress) -> Int {
    var frameBytes = plaintext.byteCount
    if isSigned {
      guard let trailer = try? SignatureTrailer(plaintext) else { preconditionFailure("the engine signs nothing") }
      frameBytes = trailer.frameCount
      // Each costs 50 us, so not all of them.
      if packetsRead < 4 || packetsRead % 8 == 0 { verify(trailer, plaintext, opened) }
    }
    let frames = plaintext.extracting(0..<frameBytes)
    precondition(frameBytes > 0, "the engine sends a packet of nothing")
    var position = 0
    var count = 0
    while position < frames.byteCount {
      guard let frame = try? Frame.read(frames, at: &position) else {
        preconditionFailure("the engine sends a frame that is none")
      }
      count += 1
      if case .pathChallenge(let data) = frame, challenges.count < 16 { challenges.append((data, address)) }
      if case .ack(let ack) = frame { precondition(ack.largest < number, "the engine has received what was not sent") }
    }
    return count
  }

  private mutating func verify(_ trailer: SignatureTrailer, _ plaintext: RawSpan, _ opened: OpenedPacket) {
    let direction = keys.sending.opposite
    // The keys have advanced where the packet was the first of its phase.
    let phase: SessionKeys.Phase = opened.phase == .next ? .current : opened.phase
    let blinder = keys.blinder(direction, phase, number: opened.number)
    let leaf = keys.leaf(
      direction, number: opened.number, frames: plaintext.extracting(0..<trailer.frameCount), blinder: blinder)
    precondition(verifier.verify(trailer, leaf: leaf, plaintext), "the engine signs something else")
  }
}

/// Frames as bytes.
enum FuzzFrames {
  static func written(_ write: (inout OutputRawSpan) -> Void) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: maximumDatagramSize)
    let count = bytes.withUnsafeMutableBytes { buffer in
      var output = OutputRawSpan(buffer: buffer, initializedCount: 0)
      write(&output)
      return output.finalize(for: buffer)
    }
    return Array(bytes[..<count])
  }
}
