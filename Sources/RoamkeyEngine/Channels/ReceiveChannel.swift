import RoamkeyWire

/// The receiving half of a reliable ordered channel: puts pieces together, and hands messages out in order, each once.
struct ReceiveChannel {
  /// The sequence of the message that is handed out next: all before it were.
  private var next: UInt64 = 0
  private var waiting: [UInt64: PartialMessage] = [:]
  private var incomplete = 0

  /// Takes a message frame.
  /// - Returns: what it costs of the credit that the peer was given: 0 where all of it was here already.
  mutating func receive(
    _ frame: MessageFrame, _ payload: RawSpan, maximumSize: Int, partialLimit: Int
  ) throws(ChannelError) -> Int {
    guard frame.total <= UInt64(maximumSize) else { throw .limitExceeded }
    guard frame.sequence >= next else { return 0 }
    let total = Int(frame.total)
    let known = waiting.removeValue(forKey: frame.sequence)
    var message = known ?? PartialMessage(total: total)
    guard message.total == total else { throw .contradiction }
    let wasIncomplete = known != nil && !message.isComplete
    var cost = known == nil ? MessageContent.creditOverhead : 0
    cost += try message.insert(payload.extracting(frame.bytes), offset: Int(frame.offset))
    incomplete += (message.isComplete ? 0 : 1) - (wasIncomplete ? 1 : 0)
    guard incomplete <= partialLimit else { throw .limitExceeded }
    waiting[frame.sequence] = message
    return cost
  }

  /// The next message in order, once all of it is here.
  mutating func takeMessage() -> (sequence: UInt64, content: [UInt8])? {
    guard let message = waiting[next], message.isComplete else { return nil }
    waiting[next] = nil
    defer { next += 1 }
    return (next, message.prefix)
  }
}
