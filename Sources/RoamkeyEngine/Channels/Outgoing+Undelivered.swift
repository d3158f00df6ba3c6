import RoamkeyWire

extension Outgoing {
  /// The reliable messages that were not acknowledged, in the order of each stream: those sent, then those that wait.
  /// Of ordered ones also those that were acknowledged behind one that was not: the peer has not handed them out. Those
  /// that were given up are not among them.
  func undelivered() -> [UndeliveredMessage] {
    var found: [UndeliveredMessage] = []
    let expiries = expiriesOfSent()
    for (place, stream) in streams.enumerated() where stream.id.delivery.isReliable {
      let first = stream.nextSequence - UInt64(stream.sent.count)
      // What is done, or was given up, has no content any more, save behind a gap (`keepsBehindGaps`).
      for (offset, (message, content)) in zip(stream.sent, stream.contents).enumerated() where !content.isEmpty {
        let sequence = first + UInt64(offset)
        Self.add(
          content, of: stream.id, message.priority, expires: expiries[Sent(stream: place, sequence: sequence)],
          receipt: stream.awaitedPlace(of: sequence).map { stream.awaited[$0].token }, to: &found)
      }
      for lane in stream.lanes {
        for (message, content) in zip(lanes[lane].waiting, lanes[lane].contents) where message.state == .unsent {
          Self.add(
            content, of: stream.id, message.priority, expires: message.expires ? message.expiry : nil,
            receipt: message.wantsReceipt ? message.token : nil, to: &found)
        }
      }
    }
    return found
  }

  private static func add(
    _ bytes: [UInt8], of stream: StreamID, _ priority: Priority, expires: Instant?, receipt: UInt64?,
    to found: inout [UndeliveredMessage]
  ) {
    // We wrote it ourselves.
    guard let content = try? MessageContent(bytes) else { return }
    found.append(
      UndeliveredMessage(stream: stream, priority: priority, content: content, expires: expires, receipt: receipt))
  }

  /// A reliable message of which something was sent.
  private struct Sent: Hashable {
    let stream: Int
    let sequence: UInt64
  }

  private func expiriesOfSent() -> [Sent: Instant] {
    var found: [Sent: Instant] = [:]
    for entry in expiries.unordered where entry.kind == .sent {
      found[Sent(stream: Int(entry.place), sequence: entry.number)] = entry.at
    }
    return found
  }
}
