import RoamkeyWire

/// All messages of a session (PROTOCOL §9): four modes of delivery in 256 channels, and the credit that bounds what
/// either side must keep.
///
/// A stream is one channel in one mode; its messages have numbers of their own in each direction. This type is the face
/// of the room: what leaves is in `Outgoing`, what arrives in `Incoming`, and they share nothing.
struct Channels {
  private(set) var outgoing: Outgoing
  private(set) var incoming: Incoming

  /// What a side that does not say otherwise takes as the longest message, and lets the other send: enough for it.
  static let defaultMaximumMessageSize: UInt64 = 1 << 20
  static let defaultCredit: UInt64 = 2 << 20
  /// What a message costs of the credit beyond the size that the app counts, at most (PROTOCOL §9.6).
  static let maximumMessageOverhead = MessageContent.maximumHeader + MessageContent.creditOverhead

  /// What `size` bytes of content cost.
  static func cost(_ size: Int) -> Int { size + MessageContent.creditOverhead }

  /// The longest message that may be sent to a peer: the shorter of both sides' limits, and never more than its credit
  /// lets through.
  static func maximumMessageSize(_ configuration: RoamkeyConfiguration, peer: HandshakeParameters) -> Int {
    let credit = min(peer.initialCredit ?? defaultCredit, peer.initialChannelCredit ?? .max)
    let limit = min(
      Int(clamping: peer.maximumMessageSize ?? defaultMaximumMessageSize),
      Int(clamping: credit) - maximumMessageOverhead)
    return max(0, min(configuration.messageLimit, limit))
  }

  /// - Parameter announcesLimits: whether the handshake told the peer our limits; if not, those of the protocol hold.
  init(configuration: RoamkeyConfiguration, peer: HandshakeParameters, announcesLimits: Bool) {
    self.init(
      peer: peer, configuration: configuration,
      window: announcesLimits ? configuration.creditWindow : Self.defaultCredit,
      streamWindow: announcesLimits ? configuration.channelCreditWindow : CreditWindow.unlimited)
  }

  /// - Parameters:
  ///   - window: what we grant the peer in all.
  ///   - streamWindow: and what of it one stream may take.
  init(peer: HandshakeParameters, configuration: RoamkeyConfiguration, window: UInt64, streamWindow: UInt64) {
    // Half of what the peer tolerates: retransmissions that are cut up anew need room as well.
    outgoing = Outgoing(
      credit: peer.initialCredit ?? Self.defaultCredit, streamCredit: peer.initialChannelCredit ?? .max,
      pieceMessageLimit: max(1, configuration.partialMessageLimit / 2))
    // A message's content has a header in front of what the app counts.
    incoming = Incoming(
      maximumSize: configuration.messageLimit + MessageContent.maximumHeader,
      partialLimit: configuration.partialMessageLimit, window: window, streamWindow: streamWindow)
  }

  // MARK: Getters

  /// Bytes queued or unacknowledged, overhead included, with a little for each receipt that is awaited.
  var queuedBytes: Int { outgoing.queuedBytes }

  /// Messages that wait to be sent, and reliable ones that are not acknowledged.
  var queuedMessages: Int { outgoing.queuedMessages }

  /// Whether nothing waits, and all that is reliable was acknowledged. Receipts that are awaited do not count.
  var isDelivered: Bool { outgoing.queuedMessages == 0 }

  /// Whether a message, or a piece of one, could be written into an empty packet now.
  var hasDataToSend: Bool {
    var copy = outgoing
    return copy.checkForData()
  }

  /// The same in place: who holds this in an object would copy it for a getter.
  mutating func checkForData() -> Bool { outgoing.checkForData() }

  /// Whether the peer is to be told of credit, receipts, or messages that were given up.
  var owesControl: Bool { incoming.owesControl || !outgoing.skips.isEmpty }

  /// Whether there are copies that should leave soon, or that may ride along.
  var hasUrgentCopies: Bool { outgoing.copies.urgentCount > 0 }
  var hasCopyCandidates: Bool { outgoing.copies.count > 0 }

  var counters: DeliveryCounters {
    var counters = outgoing.counters
    counters.lateMessages = incoming.lateMessages
    return counters
  }

  /// When `handleTimeout` is to be called: something expires, or a receipt is waited for no longer.
  @inline(__always)
  var nextTimeout: Instant? {
    guard let other = incoming.nextTimeout else { return outgoing.nextTimeout }
    return outgoing.nextTimeout.map { min($0, other) } ?? other
  }

  mutating func handleTimeout(now: Instant) {
    outgoing.handleTimeout(now: now)
    incoming.handleTimeout(now: now)
  }

  mutating func prefetch() {
    incoming.prefetch()
    outgoing.prefetch()
  }

  mutating func prefetchLanes() { outgoing.prefetchLanes() }

  // MARK: Sending

  /// Queues a message, whatever its size: limits are the caller's.
  mutating func enqueue(_ content: consuming [UInt8], _ options: MessageOptions, now: Instant) {
    outgoing.enqueue(content, options, now: now)
  }

  /// The session looks for something to send, even if nothing may leave: `latest` messages that are queued from now on
  /// take the place of those that were queued before. `fill` does the same.
  mutating func beginTurn() { outgoing.beginTurn() }

  /// Writes what the peer is to be told, as far as it fits in front of `end`, and notes each frame in `frames`.
  mutating func appendControl(_ output: inout OutputRawSpan, end: Int, frames: inout [SentFrame]) {
    if end - output.byteCount >= Self.maximumMaxDataSize, let limit = incoming.takeLimit() {
      output.appendMaxData(limit)
      frames.append(.maxData)
    }
    while end - output.byteCount >= MaxChannelDataFrame.maximumSize, let frame = incoming.takeStreamLimit() {
      output.appendMaxChannelData(frame)
      frames.append(.maxChannelData(frame.stream))
    }
    while end - output.byteCount >= SkipFrame.maximumSize, let frame = outgoing.takeSkip() {
      output.appendSkip(frame)
      frames.append(.skip(frame.stream, sequence: frame.sequence))
    }
    while end - output.byteCount >= ReceiptFrame.maximumSize, let frame = incoming.takeReceipt() {
      output.appendReceipt(frame)
      frames.append(.receipt(frame))
    }
  }

  /// A type and a variable-length integer.
  private static let maximumMaxDataSize = 1 + 8

  /// Writes as many messages and pieces as fit into `room` bytes, and notes each in `frames`.
  /// - Parameters:
  ///   - fullRoom: what an empty packet has room for: a message that fits into it is never cut up.
  ///   - allowsNew: whether messages may leave that were not sent yet.
  mutating func fill(
    _ output: inout OutputRawSpan, room: Int, fullRoom: Int, allowsNew: Bool = true, now: Instant,
    frames: inout [SentFrame]
  ) {
    outgoing.fill(
      &output, Outgoing.Room(end: output.byteCount + room, full: fullRoom, allowsNew: allowsNew, now: now),
      frames: &frames)
  }

  /// Writes copies of small reliable messages that are under way: urgent ones first, then those first sent before
  /// `now`, the newest first, each once.
  /// - Returns: bytes written, at most `budget`.
  mutating func fillCopies(
    _ output: inout OutputRawSpan, room: Int, budget: Int, now: Instant, frames: inout [SentFrame]
  ) -> Int {
    outgoing.fillCopies(
      &output, Outgoing.Room(end: output.byteCount + room, full: room, now: now), budget: budget, frames: &frames)
  }

  /// The acknowledgement of the packet with this part is overdue: if its message is small, a copy becomes urgent.
  mutating func suspect(_ part: MessagePart) { outgoing.suspect(part) }

  /// Whether messages are kept for `undelivered` that were acknowledged behind one that was not.
  var keepsBehindGaps: Bool {
    get { outgoing.keepsBehindGaps }
    set { outgoing.keepsBehindGaps = newValue }
  }

  /// The reliable messages that were not acknowledged, or that the peer could not hand out for want of one before.
  func undelivered() -> [UndeliveredMessage] { outgoing.undelivered() }

  /// What became of a message whose sender asked for a receipt.
  mutating func takeOutcome() -> (token: UInt64, outcome: DeliveryOutcome)? { outgoing.outcomes.popFirst() }

  /// How long to wait for a receipt once an unreliable message has arrived: some probe timeouts.
  var receiptPatience: Duration {
    get { outgoing.receiptPatience }
    set { outgoing.receiptPatience = newValue }
  }

  // MARK: What became of packets

  mutating func onAcknowledged(_ part: MessagePart, now: Instant) { outgoing.onAcknowledged(part, now: now) }

  /// - Parameter isProbe: the packet is not known to be lost, but something has to be sent again.
  mutating func onLost(_ part: MessagePart, isProbe: Bool = false, now: Instant) {
    outgoing.onLost(part, isProbe: isProbe, now: now)
  }

  mutating func onSkipAcknowledged(_ stream: StreamID, sequence: UInt64) {
    outgoing.onSkipAcknowledged(stream, sequence)
  }

  mutating func onSkipLost(_ stream: StreamID, sequence: UInt64) { outgoing.onSkipLost(stream, sequence) }

  mutating func onReceiptLost(_ frame: ReceiptFrame) { incoming.owe(frame) }

  /// The frame that told a limit was lost; the current one is told instead.
  mutating func onLimitLost() { incoming.onLimitLost() }

  mutating func onLimitLost(of stream: StreamID) { incoming.onLimitLost(of: stream) }

  // MARK: Receiving

  mutating func receive(_ frame: MessageFrame, _ payload: RawSpan, now: Instant) throws(ChannelError) {
    try incoming.receive(frame, payload, now: now)
  }

  mutating func receive(_ frame: SkipFrame) throws(ChannelError) { try incoming.receive(frame) }

  mutating func receive(_ frame: ReceiptFrame) throws(ChannelError) { try outgoing.receive(frame) }

  /// The peer's limits only rise; a lower one is an old frame.
  mutating func onMaxData(_ limit: UInt64) { outgoing.onMaxData(limit) }

  mutating func onMaxChannelData(_ frame: MaxChannelDataFrame) { outgoing.onMaxChannelData(frame) }

  /// The next message for the app.
  mutating func takeMessage() -> (stream: StreamID, sequence: UInt64, content: [UInt8], credit: Int)? {
    incoming.takeMessage().map { ($0.stream, $0.sequence, $0.content, $0.credit) }
  }

  /// A message that asks for a receipt was handed to the app.
  mutating func onHandedOver(_ stream: StreamID, sequence: UInt64) { incoming.onHandedOver(stream, sequence) }

  /// The app has taken messages of a stream worth `credit`: the peer may send that much more, and is told once it is
  /// worth a frame.
  mutating func onConsumed(_ credit: Int, of stream: StreamID) { incoming.onConsumed(credit, of: stream) }
}
