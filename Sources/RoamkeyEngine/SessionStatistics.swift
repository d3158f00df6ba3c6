/// How a session is doing: what was measured of its path, and what it has counted since it began.
public struct SessionStatistics: Sendable, Hashable {
  /// Whether the app on either side plays, is quiet, or rests.
  public package(set) var presence = Presence.playing
  /// Nothing was heard of the other side for a while.
  public package(set) var isOffline = false

  // MARK: The path

  /// The smoothed round trip (RFC 9002 §5.3); nil before the first measurement on this path.
  public package(set) var roundTrip: Duration?
  /// The lowest round trip of this path.
  public package(set) var minimumRoundTrip: Duration?
  /// How much the round trip varies: its mean deviation (RFC 9002 §5.3).
  public package(set) var jitter: Duration = .zero
  /// The share of packets that are lost at present, 0 to 1: an average over some 64 packets.
  public package(set) var loss = 0.0
  /// Bytes that may be in flight, and that are.
  public package(set) var congestionWindow = 0
  public package(set) var bytesInFlight = 0
  /// Bytes of UDP payload in a full packet on this path.
  public package(set) var packetSize = 0
  /// Validated changes of the other side's address.
  public package(set) var moves: UInt64 = 0

  // MARK: The clocks

  /// How far the other side's clock may be off from what `Message.sentAt` assumes; nil before it was compared.
  public package(set) var clockError: Duration?
  /// How much faster the other side's clock runs, in millionths.
  public package(set) var clockDrift = 0.0

  // MARK: Packets

  public package(set) var packetsSent: UInt64 = 0
  public package(set) var packetsReceived: UInt64 = 0
  /// UDP payload, as are the bytes received.
  public package(set) var bytesSent: UInt64 = 0
  public package(set) var bytesReceived: UInt64 = 0
  public package(set) var packetsLost: UInt64 = 0
  /// Packets that were thought lost and had only been late.
  public package(set) var spuriousLosses: UInt64 = 0

  // MARK: Messages

  public package(set) var messagesSent: UInt64 = 0
  public package(set) var messagesReceived: UInt64 = 0
  /// Bytes of messages that were sent again because they were lost.
  public package(set) var bytesRetransmitted: UInt64 = 0
  /// Copies of unacknowledged messages that were sent before anything was known to be lost, and how many of these were
  /// needed: the original was lost.
  public package(set) var eagerCopies: UInt64 = 0
  public package(set) var eagerCopiesNeeded: UInt64 = 0
  /// Messages given up because they expired; of `latest`, because a newer one was there before they were sent.
  public package(set) var messagesExpired: UInt64 = 0
  public package(set) var messagesSuperseded: UInt64 = 0
  /// Messages of `latest` that arrived after a newer one and were dropped.
  public package(set) var messagesLate: UInt64 = 0

  // MARK: Queues

  /// Bytes and messages queued: not sent yet, or not acknowledged.
  public package(set) var queuedBytes = 0
  public package(set) var queuedMessages = 0

  package init() {}
}

/// What the players of a session are doing, as far as keep-alives follow from it.
public enum Presence: Sendable, Hashable {
  /// Messages come and go.
  case playing
  /// No messages for a while: just enough is sent to hold the way through a router.
  case quiet
  /// An app said that its player rests: nothing is sent, and nobody is missed.
  case resting
}

/// When messages leave.
public enum FlushPolicy: Sendable, Hashable {
  /// At the end of the turn in which they were handed over: at once, with whatever else waits. The default.
  case atOnce
  /// So much later at most, so that more messages share a packet; sooner once a packet is full. Messages of priority
  /// `immediate` do not wait, and take the others along.
  case after(Duration)
  /// When `flush()` is called: for games with a tick of their own. Messages of priority `immediate` do not wait, and
  /// take the others along.
  case manual
}
