import RoamkeyWire

/// The channels of both sides of a session without packets, keys or loss around them: for measurements of what messages
/// themselves cost.
package struct ChannelPair {
  private var sender: Channels
  private var receiver: Channels
  private var frames: [SentFrame] = []

  /// Two sides in their defaults.
  package init() {
    let configuration = RoamkeyConfiguration()
    var limits = HandshakeParameters(
      application: "", signingPolicy: .sealedOnly, clientConnectionID: ConnectionID(),
      serverConnectionID: ConnectionID())
    limits.initialCredit = configuration.creditWindow
    limits.initialChannelCredit = configuration.channelCreditWindow
    sender = Channels(configuration: configuration, peer: limits, announcesLimits: true)
    receiver = Channels(configuration: configuration, peer: limits, announcesLimits: true)
  }

  /// Sends a message once: it is queued, written to `packet`, read from there, handed out, taken by the app and
  /// acknowledged.
  /// - Returns: the bytes that the app was handed; nil if they did not arrive.
  package mutating func pass(
    _ content: [UInt8], _ options: MessageOptions, through packet: UnsafeMutableRawBufferPointer, now: Instant
  ) -> Int? {
    sender.enqueue(content, options, now: now)
    var output = OutputRawSpan(buffer: packet, initializedCount: 0)
    sender.fill(&output, room: packet.count, fullRoom: packet.count, now: now, frames: &frames)
    let payload = RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: packet[..<output.finalize(for: packet)]))
    var position = 0
    guard case .message(let frame)? = try? Frame.read(payload, at: &position),
      (try? receiver.receive(frame, payload, now: now)) != nil, let message = receiver.takeMessage()
    else { return nil }
    receiver.onConsumed(message.credit, of: message.stream)
    for case .message(let part) in frames { sender.onAcknowledged(part, now: now) }
    frames.removeAll(keepingCapacity: true)
    renewCredit(packet)
    return message.content.count
  }

  /// What a packet of the other direction would say.
  private mutating func renewCredit(_ packet: UnsafeMutableRawBufferPointer) {
    guard receiver.owesControl else { return }
    var output = OutputRawSpan(buffer: packet, initializedCount: 0)
    receiver.appendControl(&output, end: packet.count, frames: &frames)
    frames.removeAll(keepingCapacity: true)
    let payload = RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: packet[..<output.finalize(for: packet)]))
    var position = 0
    while position < payload.byteCount, let frame = try? Frame.read(payload, at: &position) {
      if case .maxData(let limit) = frame { sender.onMaxData(limit) }
      if case .maxChannelData(let limit) = frame { sender.onMaxChannelData(limit) }
    }
  }
}
