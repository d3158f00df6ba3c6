import RoamkeySimulator
import RoamkeyWire
import Testing

@testable import RoamkeyEngine

/// Reliable ordered channels: every message once, in order, whatever happens to the packets; and what a hostile sender
/// may not make a receiver keep.
struct ChannelTests {
  static func parameters(credit: UInt64? = nil) -> HandshakeParameters {
    var parameters = HandshakeParameters(
      application: "a", signingPolicy: .everyPacket, clientConnectionID: .init(), serverConnectionID: .init(1))
    parameters.initialCredit = credit
    return parameters
  }

  static let start = Instant(nanoseconds: 1_000_000_000)

  /// What a session may use without a new grant; a message may be longer than that here.
  static func channels(
    credit: UInt64 = 1 << 20, channelCredit: UInt64? = nil, configuration: RoamkeyConfiguration = .init()
  ) -> Channels {
    var parameters = parameters(credit: credit)
    parameters.initialChannelCredit = channelCredit
    return Channels(
      peer: parameters, configuration: configuration, window: credit,
      streamWindow: channelCredit ?? CreditWindow.unlimited)
  }

  /// One packet's worth of frames.
  struct Packet {
    var bytes: [UInt8]
    var frames: [SentFrame]
  }

  static func fill(_ channels: inout Channels, room: Int = 1100, now: Instant = start) -> Packet? {
    var buffer = [UInt8](repeating: 0, count: 1400)
    var frames: [SentFrame] = []
    let count = buffer.withUnsafeMutableBytes { bytes in
      var output = OutputRawSpan(buffer: bytes, initializedCount: 0)
      channels.fill(&output, room: room, fullRoom: 1100, now: now, frames: &frames)
      return output.finalize(for: bytes)
    }
    return count == 0 ? nil : Packet(bytes: Array(buffer[..<count]), frames: frames)
  }

  static func control(_ channels: inout Channels) -> Packet? {
    var buffer = [UInt8](repeating: 0, count: 1400)
    var frames: [SentFrame] = []
    let count = buffer.withUnsafeMutableBytes { bytes in
      var output = OutputRawSpan(buffer: bytes, initializedCount: 0)
      channels.appendControl(&output, end: 1100, frames: &frames)
      return output.finalize(for: bytes)
    }
    return count == 0 ? nil : Packet(bytes: Array(buffer[..<count]), frames: frames)
  }

  static func deliver(
    _ packet: Packet, to channels: inout Channels, now: Instant = start, onlyReliable: Bool = false
  ) throws {
    let span = packet.bytes.span.bytes
    var position = 0
    while position < span.byteCount {
      switch try Frame.read(span, at: &position) {
      case .message(let frame):
        if onlyReliable, !frame.stream.delivery.isReliable { continue }
        try channels.receive(frame, span, now: now)
      case .skip(let frame): try channels.receive(frame)
      case .receipt(let frame): try channels.receive(frame)
      case .maxData(let limit): channels.onMaxData(limit)
      case .maxChannelData(let frame): channels.onMaxChannelData(frame)
      default: Issue.record("channels write no such frames")
      }
    }
  }

  static func settle(_ packet: Packet, lost: Bool, _ channels: inout Channels, now: Instant = start) {
    for frame in packet.frames {
      switch frame {
      case .message(let part):
        if lost { channels.onLost(part, now: now) } else { channels.onAcknowledged(part, now: now) }
      case .skip(let stream, let sequence):
        if lost {
          channels.onSkipLost(stream, sequence: sequence)
        } else {
          channels.onSkipAcknowledged(stream, sequence: sequence)
        }
      case .receipt(let frame): if lost { channels.onReceiptLost(frame) }
      case .maxData: if lost { channels.onLimitLost() }
      case .maxChannelData(let stream): if lost { channels.onLimitLost(of: stream) }
      default: Issue.record("channels note no such frames")
      }
    }
  }

  static func take(_ channels: inout Channels) -> [[UInt8]] {
    var messages: [[UInt8]] = []
    while let (stream, _, content, credit) = channels.takeMessage() {
      #expect(credit == (stream.delivery.isReliable ? Channels.cost(content.count) : 0))
      messages.append(content)
      channels.onConsumed(credit, of: stream)
    }
    return messages
  }

  @Test("random losses, duplicates and disorder; sizes from nothing to 50 KB", arguments: 0..<30)
  func randomWorlds(run: Int) throws {
    let seed = UInt64.random(in: 0 ... .max)
    var random = SeededRandom(seed: seed)
    var sender = Self.channels()
    var receiver = Self.channels()
    let messages = (0..<120).map { i -> [UInt8] in
      let size = i % 17 == 0 ? Int(random.next() % 50_000) : Int(random.next() % 1500)
      return (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ i) }
    }
    for message in messages { sender.enqueue(message, .init(), now: Self.start) }
    var flying: [Packet] = []
    var received: [[UInt8]] = []
    var turns = 0
    while !sender.isDelivered {
      turns += 1
      try #require(turns < 20_000, "no progress, seed \(seed)")
      if flying.count < 40, let packet = Self.fill(&sender, room: 400 + Int(random.next() % 701)) {
        flying.append(packet)
      }
      guard !flying.isEmpty, random.next() % 3 != 0 else { continue }
      let packet = flying.remove(at: Int(random.next() % UInt64(flying.count)))
      switch random.next() % 10 {
      case 0...2: Self.settle(packet, lost: true, &sender)
      case 3:  // arrives, but is deemed lost; the acknowledgement comes late or never
        try Self.deliver(packet, to: &receiver)
        Self.settle(packet, lost: true, &sender)
        if random.next() % 2 == 0 { Self.settle(packet, lost: false, &sender) }
      case 4:  // twice
        try Self.deliver(packet, to: &receiver)
        try Self.deliver(packet, to: &receiver)
        Self.settle(packet, lost: false, &sender)
      default:
        try Self.deliver(packet, to: &receiver)
        Self.settle(packet, lost: false, &sender)
      }
      received += Self.take(&receiver)
      if let control = Self.control(&receiver) { try Self.deliver(control, to: &sender) }
    }
    #expect(received == messages, "seed \(seed)")
    #expect(sender.queuedBytes == 0, "seed \(seed)")
  }

  @Test func aReaderThatStopsStopsTheSender() throws {
    var sender = Self.channels(credit: 10_000)
    var receiver = Self.channels(credit: 10_000)
    for _ in 0..<100 { sender.enqueue([UInt8](repeating: 1, count: 1000), .init(), now: Self.start) }
    var sent = 0
    while let packet = Self.fill(&sender) {
      try Self.deliver(packet, to: &receiver)
      Self.settle(packet, lost: false, &sender)
      sent += 1
    }
    #expect(sent == 9)
    #expect(Self.take(&receiver).count == 9)
    #expect(!sender.hasDataToSend)
    #expect(receiver.owesControl)
    try Self.deliver(#require(Self.control(&receiver)), to: &sender)
    #expect(sender.hasDataToSend)
    #expect(Self.fill(&sender) != nil)
  }

  // MARK: Hostile senders

  static func frame(
    _ stream: StreamID = MessageOptions().stream, sequence: UInt64, offset: UInt64 = 0, total: UInt64, bytes: [UInt8]
  ) -> (frame: MessageFrame, payload: [UInt8]) {
    var payload: [UInt8] = [0x23 | stream.delivery.rawValue << 2]
    payload.append(varint: UInt64(stream.channel))
    payload.append(varint: sequence)
    payload.append(varint: offset)
    payload.append(varint: total)
    payload.append(varint: UInt64(bytes.count))
    payload += bytes
    var position = 0
    guard case .message(let frame) = try? Frame.read(payload.span.bytes, at: &position) else {
      preconditionFailure("a test writes frames that can be read")
    }
    return (frame, payload)
  }

  static func receive(
    _ channels: inout Channels, _ stream: StreamID = MessageOptions().stream, sequence: UInt64, offset: UInt64 = 0,
    total: UInt64, _ bytes: [UInt8]
  ) throws(ChannelError) {
    let (frame, payload) = frame(
      stream, sequence: sequence, offset: offset, total: total, bytes: bytes)
    try channels.receive(frame, payload.span.bytes, now: start)
  }

  @Test func contradictionsAreRefused() throws {
    var channels = Self.channels()
    try Self.receive(&channels, sequence: 0, offset: 10, total: 100, [1, 2, 3])
    #expect(throws: ChannelError.contradiction) {
      try Self.receive(&channels, sequence: 0, offset: 20, total: 101, [1])
    }
    var other = Self.channels()
    try Self.receive(&other, sequence: 0, offset: 10, total: 100, [1, 2, 3])
    try Self.receive(&other, sequence: 0, offset: 8, total: 100, [9, 9, 1, 2, 3, 4])
    #expect(throws: ChannelError.contradiction) {
      try Self.receive(&other, sequence: 0, offset: 11, total: 100, [7])
    }
  }

  @Test func memoryGrowsByWhatCameNotByWhatWasAnnounced() throws {
    var channels = Self.channels()
    #expect(throws: ChannelError.limitExceeded) {
      try Self.receive(&channels, sequence: 0, total: 1 << 40, [1])
    }
    var partial = PartialMessage(total: 1 << 20)
    let byte: [UInt8] = [1]
    _ = try partial.insert(byte.span.bytes, offset: 1 << 19)
    #expect(partial.prefix.isEmpty)
  }

  /// PROTOCOL §7: a message torn into single bytes would cost many times its size, and time for each of them.
  @Test func aMessageIsNotTornIntoTooManyPieces() throws {
    var channels = Self.channels()
    for i in 0..<PartialMessage.maximumRuns {
      try Self.receive(&channels, sequence: 0, offset: UInt64(2 * i + 1), total: 1 << 20, [1])
    }
    let beyond = UInt64(2 * PartialMessage.maximumRuns + 1)
    #expect(throws: ChannelError.limitExceeded) {
      try Self.receive(&channels, sequence: 0, offset: beyond, total: 1 << 20, [1])
    }
    // The honest case: all packets of the longest message, backwards.
    var honest = Self.channels(credit: 2 << 20)
    let content = (0..<1 << 20).map { UInt8(truncatingIfNeeded: $0 &* 7 ^ $0 >> 8) }
    for start in stride(from: 0, to: content.count, by: 1024).reversed() {
      try Self.receive(
        &honest, sequence: 0, offset: UInt64(start), total: UInt64(content.count),
        Array(content[start..<min(start + 1024, content.count)]))
    }
    #expect(Self.take(&honest) == [content])
  }

  /// Pieces that overlap in every way give the message, and are counted once.
  @Test func overlappingPieces() throws {
    var random = SeededRandom(seed: 7)
    for _ in 0..<200 {
      let content = (0..<300).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      var partial = PartialMessage(total: content.count)
      var new = 0
      while !partial.isComplete {
        let start = Int(random.next() % UInt64(content.count))
        let piece = Array(content[start..<min(content.count, start + 1 + Int(random.next() % 40))])
        new += try partial.insert(piece.span.bytes, offset: start)
        var wrong = piece
        let place = Int(random.next() % UInt64(piece.count))
        wrong[place] ^= 1
        #expect(throws: ChannelError.contradiction) { try partial.insert(wrong.span.bytes, offset: start) }
      }
      #expect(new == content.count && partial.prefix == content)
    }
  }

  @Test func incompleteMessagesAreCounted() throws {
    var channels = Self.channels()
    for i in 0..<64 { try Self.receive(&channels, sequence: UInt64(i), total: 10, [1]) }
    #expect(throws: ChannelError.limitExceeded) { try Self.receive(&channels, sequence: 64, total: 10, [1]) }
  }

  @Test func creditIsEnforced() throws {
    var channels = Self.channels(credit: 1000)
    // 32 of overhead each: the tiniest messages cost as well.
    for i in 1...29 { try Self.receive(&channels, sequence: UInt64(i), total: 2, [1, 2]) }
    #expect(throws: ChannelError.limitExceeded) {
      try Self.receive(&channels, sequence: 30, total: 2, [1, 2])
    }
  }
}
