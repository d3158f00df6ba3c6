import RoamkeyWire

extension Outgoing {
  /// The reliable messages that were not acknowledged, in the order of each stream: those sent, then those that wait.
  /// Those that were given up are not among them.
  func undelivered() -> [UndeliveredMessage] {
    var found: [UndeliveredMessage] = []
    func add(_ stream: SendStream, _ priority: Priority, _ bytes: [UInt8]) {
      // We wrote it ourselves.
      guard let content = try? MessageContent(bytes.span.bytes) else { return }
      found.append(UndeliveredMessage(stream: stream.id, priority: priority, content: content))
    }
    for stream in streams where stream.id.delivery.isReliable {
      for (message, content) in zip(stream.sent, stream.contents)
      where !message.flags.contains(.done) && !message.flags.contains(.skipped) {
        add(stream, message.priority, content)
      }
      for lane in stream.lanes {
        for (message, content) in zip(lanes[lane].waiting, lanes[lane].contents) where message.state == .unsent {
          add(stream, message.priority, content)
        }
      }
    }
    return found
  }
}
