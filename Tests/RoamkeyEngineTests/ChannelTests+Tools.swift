import RoamkeyWire
import Testing

@testable import RoamkeyEngine

extension ChannelTests {
  static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

  static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

  /// The messages in a packet, whole or in pieces, as `stream sequence: text`.
  static func messages(in packet: Packet?) throws -> [(frame: MessageFrame, text: String)] {
    guard let packet else { return [] }
    let span = packet.bytes.span.bytes
    var messages: [(MessageFrame, String)] = []
    var position = 0
    while position < span.byteCount {
      guard case .message(let frame) = try Frame.read(span, at: &position) else { continue }
      messages.append((frame, text(span.array(frame.bytes))))
    }
    return messages
  }

  /// All packets that can be written now, each of them acknowledged by nobody yet.
  static func fillAll(_ channels: inout Channels, now: Instant = start) -> [Packet] {
    var packets: [Packet] = []
    while let packet = fill(&channels, now: now) { packets.append(packet) }
    return packets
  }

  /// A packet of copies alone.
  static func copies(_ channels: inout Channels, budget: Int = 1000, now: Instant) -> Packet? {
    var buffer = [UInt8](repeating: 0, count: 1400)
    var frames: [SentFrame] = []
    let count = buffer.withUnsafeMutableBytes { bytes in
      var output = OutputRawSpan(buffer: bytes, initializedCount: 0)
      let written = channels.fillCopies(&output, room: 1100, budget: budget, now: now, frames: &frames)
      #expect(written == output.byteCount && written <= budget)
      return output.finalize(for: bytes)
    }
    return count == 0 ? nil : Packet(bytes: Array(buffer[..<count]), frames: frames)
  }

  static func takeTexts(_ channels: inout Channels) -> [String] { take(&channels).map(text) }

  static func outcomes(_ channels: inout Channels) -> [UInt64: DeliveryOutcome] {
    var outcomes: [UInt64: DeliveryOutcome] = [:]
    while let (token, outcome) = channels.takeOutcome() {
      #expect(outcomes[token] == nil, "one outcome each")
      outcomes[token] = outcome
    }
    return outcomes
  }

  /// Everything is settled, and both books of credit agree.
  static func expectNothingLeft(_ sender: Channels, _ receiver: Channels) {
    #expect(sender.isDelivered && sender.queuedBytes == 0 && sender.nextTimeout == nil)
    #expect(sender.outgoing.credit.used == receiver.incoming.window.received)
    #expect(receiver.incoming.window.received == receiver.incoming.window.consumed)
  }
}
