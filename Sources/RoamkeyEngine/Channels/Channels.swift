import RoamkeyWire

/// All channels of a session, and the credit that bounds what either side must keep (PROTOCOL §9).
///
/// A message costs its bytes and an overhead, when it is sent first and when it arrives first: both sides count alike.
struct Channels {
  private var senders: [SendChannel]
  private var receivers: [ReceiveChannel]

  private let maximumMessageSize: Int
  private let partialLimit: Int
  private let window: UInt64

  /// What the peer lets us send in all, and what we have sent.
  private(set) var peerLimit: UInt64
  private var sentCredit: UInt64 = 0
  /// What we let the peer send in all, what it has sent, and what the app has taken of that.
  private var grantedLimit: UInt64
  private var receivedCredit: UInt64 = 0
  private var consumedCredit: UInt64 = 0
  /// What the messages that the app was given are worth.
  private var deliveredCredit: UInt64 = 0
  /// A higher limit is to be told: a MAX_DATA frame is due.
  private(set) var owesCredit = false

  /// Channels in each direction: one to begin with.
  static let count = 1
  /// What a side that does not say otherwise takes as the longest message, and lets the other send: enough for it.
  static let defaultMaximumMessageSize: UInt64 = 1 << 20
  static let defaultCredit: UInt64 = 2 << 20
  /// What a message costs of the credit beyond the size that the app counts, at most (docs/PROTOCOL.md §9.6).
  static let maximumMessageOverhead = MessageContent.maximumHeader + MessageContent.creditOverhead

  /// The longest message that may be sent to a peer: the shorter of both sides' limits, and never more than its credit
  /// lets through.
  static func maximumMessageSize(_ configuration: RoamkeyConfiguration, peer: HandshakeParameters) -> Int {
    let limit = min(
      Int(clamping: peer.maximumMessageSize ?? defaultMaximumMessageSize),
      Int(clamping: peer.initialCredit ?? defaultCredit) - maximumMessageOverhead)
    return max(0, min(configuration.messageLimit, limit))
  }

  init(configuration: RoamkeyConfiguration, peer: HandshakeParameters, ownCredit: UInt64?) {
    partialLimit = configuration.partialMessageLimit
    // A message's content has a header of up to 98 bytes in front of what the app counts.
    maximumMessageSize = configuration.messageLimit + MessageContent.maximumHeader
    // Half of what the peer tolerates: retransmissions that are cut up anew need room as well.
    let pieceLimit = max(1, configuration.partialMessageLimit / 2)
    senders = (0..<Self.count).map { SendChannel(channel: UInt64($0), pieceMessageLimit: pieceLimit) }
    receivers = (0..<Self.count).map { _ in ReceiveChannel() }
    window = ownCredit ?? Self.defaultCredit
    grantedLimit = window
    peerLimit = peer.initialCredit ?? Self.defaultCredit
  }

  // MARK: Sending

  /// Bytes queued or unacknowledged, overhead included.
  var queuedBytes: Int { senders.reduce(0) { $0 + $1.queuedBytes } }

  /// Whether everything that was queued has been acknowledged.
  var isDelivered: Bool { senders.allSatisfy(\.isEmpty) }

  mutating func enqueue(_ content: [UInt8], channel: Int) { senders[channel].enqueue(content) }

  /// Writes as many messages and pieces as fit into `room` bytes, and notes each in `frames`.
  mutating func fill(_ output: inout OutputRawSpan, room: Int, fullRoom: Int, frames: inout [SentFrame]) {
    let end = output.byteCount + room
    for i in senders.indices {
      while let piece = senders[i].nextPiece(
        room: end - output.byteCount, fullRoom: fullRoom, credit: Int(clamping: peerLimit - sentCredit))
      {
        sentCredit += UInt64(piece.credit)
        output.appendMessage(
          StreamID(channel: UInt8(i), delivery: .reliableOrdered), sequence: piece.sequence,
          content: senders[i].content(of: piece.sequence), range: piece.range)
        frames.append(
          .message(
            MessagePart(
              stream: StreamID(channel: UInt8(i), delivery: .reliableOrdered), sequence: piece.sequence,
              offset: UInt32(piece.range.lowerBound), count: UInt32(piece.range.count))))
      }
    }
  }

  mutating func onAcknowledged(_ part: MessagePart) {
    senders[Int(part.stream.channel)].onAcknowledged(sequence: part.sequence, range: part.range)
  }

  mutating func onLost(_ part: MessagePart) {
    senders[Int(part.stream.channel)].onLost(sequence: part.sequence, range: part.range)
  }

  /// The peer's limits only rise; a lower one is an old frame.
  mutating func onMaxData(_ limit: UInt64) { peerLimit = max(peerLimit, limit) }

  // MARK: Receiving

  mutating func receive(_ frame: MessageFrame, _ payload: RawSpan) throws(ChannelError) {
    // The other delivery modes come with their own rooms; until then no peer has a reason to use them.
    guard frame.stream == MessageOptions().stream else { throw .contradiction }
    let cost = try receivers[Int(frame.stream.channel)].receive(
      frame, payload, maximumSize: maximumMessageSize, partialLimit: partialLimit)
    receivedCredit += UInt64(cost)
    guard receivedCredit <= grantedLimit else { throw .limitExceeded }
    decideCredit()
  }

  /// The next message that is complete and in order.
  mutating func takeMessage() -> (stream: StreamID, sequence: UInt64, content: [UInt8])? {
    for i in receivers.indices {
      guard let (sequence, content) = receivers[i].takeMessage() else { continue }
      deliveredCredit += UInt64(SendChannel.cost(content.count))
      return (StreamID(channel: UInt8(i), delivery: .reliableOrdered), sequence, content)
    }
    return nil
  }

  /// The app has taken messages worth `credit`: the peer may send that much more, and is told once it is worth a frame.
  mutating func onConsumed(_ credit: Int) {
    consumedCredit += UInt64(credit)
    decideCredit()
  }

  /// Whether a higher limit is worth a frame: it is half a window higher, or the peer may be held up by the old one.
  ///
  /// The second happens when a long message begins late in the window: its pieces wait here for the others, and are
  /// themselves why too little is consumed. Who has taken all it could must therefore grant the rest.
  private mutating func decideCredit() {
    let news = consumedCredit + window - grantedLimit
    let hasTakenAll = consumedCredit >= deliveredCredit
    let isNearlySpent = grantedLimit - receivedCredit < max(window / 4, Self.wholeMessageCost)
    if news >= window / 2 || news > 0 && hasTakenAll && isNearlySpent { owesCredit = true }
  }

  /// More than any message costs that is never cut into pieces: who has less credit may be unable to send at all.
  private static let wholeMessageCost = UInt64(SendChannel.cost(maximumDatagramSize))

  /// The limit to tell now.
  mutating func takeLimit() -> UInt64 {
    owesCredit = false
    grantedLimit = max(grantedLimit, consumedCredit + window)
    return grantedLimit
  }

  /// The frame that told a limit was lost; the current one is told instead.
  mutating func onLimitLost() { owesCredit = true }
}
