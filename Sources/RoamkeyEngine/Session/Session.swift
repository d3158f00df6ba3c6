import RoamkeyCrypto
import RoamkeyWire

// The way of a packet in (Session+Receive.swift):
//
//   1. the endpoint routes it here by connection id
//   2. header protection off, packet number against the replay window     PacketProtection, ReplayWindow
//   3. opened in place                                                    SessionKeys
//   4. signature of the peer                                              SignatureTrailer, SignatureVerifier
//   5. commit: from here on it changes the session                        ReplayWindow, KeyPhaseState
//   6. frames, one switch                                                 Channels, SentPackets, PathManager
//   7. where it came from                                                 PathManager, PathSearch
//
// The way out (Session+Transmit.swift):
//
//   1. gates in order: closing, Finish, answers and challenges to other paths, amplification, congestion
//   2. fill: challenge, moves and ids, credit, messages (lost ones first), acknowledgement, padding
//   3. sign, seal, hide the packet number
//   4. record what was sent, for the day it is lost
//
// The rooms named on the right do not know each other; the session is the only corridor.

/// What two key holders share from handshake to close. It survives changes of address and silence.
final class Session {
  enum State {
    case open
    /// CLOSE was sent and is repeated until the peer answers with its own, or nothing more is to be expected.
    case closing(Closing)
    /// The peer closed: late packets are dropped until nobody sends any more.
    case draining(until: Instant)
    case ended
  }

  struct Closing {
    let code: CloseCode
    let reason: [UInt8]
    var triesLeft: Int
    var nextTry: Instant
    let deadline: Instant
  }

  let handle: SessionHandle
  let context: EndpointContext
  let signingPolicy: SigningPolicy
  /// A server's: it follows its client from address to address. A client looks for its server.
  let followsPeer: Bool

  // Each packet comes by the properties marked like this dozens of times, and each time two calls looked for accesses
  // that overlap. Debug builds, in which all tests run, still look; optimised ones do not (docs/decisions/0023).
  #if !DEBUG
    @exclusivity(unchecked)
  #endif
  var state = State.open
  /// Close in order once everything queued has been acknowledged.
  var closesWhenDelivered = false
  /// Whether the app knows of this session, so that it will be told of its end.
  var isAnnounced = false
  /// A client's Finish, resent as bytes until the server is heard.
  var finish: [UInt8]?
  var owesFinish = false

  // Protection
  #if !DEBUG
    @exclusivity(unchecked)
  #endif
  var keys: SessionKeys
  #if !DEBUG
    @exclusivity(unchecked)
  #endif
  var window = ReplayWindow()
  var phases = KeyPhaseState()
  var verifier: SignatureVerifier
  var sendPhase: SendPhase
  var previousKeysUntil: Instant?

  // Reliability and congestion
  #if !DEBUG
    @exclusivity(unchecked)
  #endif
  var sent = SentPackets<SentFrame>()
  #if !DEBUG
    @exclusivity(unchecked)
  #endif
  var traps: NumberTraps
  #if !DEBUG
    @exclusivity(unchecked)
  #endif
  var received: ReceivedPackets
  #if !DEBUG
    @exclusivity(unchecked)
  #endif
  var rtt = RTTEstimator()
  #if !DEBUG
    @exclusivity(unchecked)
  #endif
  var congestion: NewReno
  #if !DEBUG
    @exclusivity(unchecked)
  #endif
  var pacer: Pacer
  /// The pacer holds new data back until then.
  var pacedUntil: Instant?
  /// The app gave less than the path would take when it was last asked: no reason to widen the window.
  var isApplicationLimited = true
  var lossMeter = LossMeter()
  var ackDelays: AckDelayTracker
  var eager = EagerCopies()
  /// Copies are to leave now, in a packet of their own if need be.
  var owesCopies = false
  var probeCount = 0
  var lastProbe = Instant(nanoseconds: .min)
  var owesProbe = false

  // Path
  #if !DEBUG
    @exclusivity(unchecked)
  #endif
  var issuedIDs: IssuedConnectionIDs
  #if !DEBUG
    @exclusivity(unchecked)
  #endif
  var peerIDs: PeerConnectionIDs
  #if !DEBUG
    @exclusivity(unchecked)
  #endif
  var mtu: MTUDiscovery
  var newestNonProbing: UInt64?
  /// How long the peer has owed an acknowledgement.
  var silence = Silence()
  /// How long a challenge waits for its answer before it is repeated: what the RTT before the move suggests, since
  /// of the new path nothing is known, and a player waits.
  var challengePause = Session.longestChallengePause
  /// Nothing may leave until more has come in: an unvalidated address has used its budget.
  var isBlocked = false

  #if !DEBUG
    @exclusivity(unchecked)
  #endif
  var channels: Channels
  let maximumOutgoingMessage: Int
  /// New messages wait until then for others to share their packet (`FlushPolicy`).
  var bundlesUntil: Instant?
  /// Bytes of those that wait.
  var bundledBytes = 0
  #if !DEBUG
    @exclusivity(unchecked)
  #endif
  var counters = SessionCounters()

  // Staying in touch
  #if !DEBUG
    @exclusivity(unchecked)
  #endif
  var keepAlive: KeepAlive
  /// When an app last sent a message, or was given one.
  var lastTraffic: Instant
  /// Whether there was any message yet.
  var hasTraffic = false
  var owesPing = false
  #if !DEBUG
    @exclusivity(unchecked)
  #endif
  var rest = Rest()

  // For the endpoint that owns it
  var isReady = false
  /// The packet that `pollTransmit` has just written had room for all that there was: the next call would find nothing.
  var isDrained = false
  var timerPlace: UInt32?
  /// Server: which address it was admitted from, for the limit of players per address; nil if it has no place.
  var admittedPrefix: UInt128?

  // At the end, behind what is asked for ahead of packets (`prefetchedBytes`); of the paths the beginning is.
  /// News of addresses that the peer is owed.
  #if !DEBUG
    @exclusivity(unchecked)
  #endif
  var news = AddressNews()
  #if !DEBUG
    @exclusivity(unchecked)
  #endif
  var paths: PathManager
  #if !DEBUG
    @exclusivity(unchecked)
  #endif
  var peerClock: PeerClock

  // What hardly any packet has to do with
  let peer: PlayerID
  /// CLOSE packets owed to a peer that closed, and sent to it.
  var closeEchoesLeft = 0
  var closeEchoCount = 0
  var failedTags: UInt64 = 0
  /// What both sides have said of their addresses.
  var roaming = Roaming()
  /// The networks that the active path connects, and what was learnt of the path before.
  var networkKey: NetworkKey
  var formerPath: FormerPath?
  /// Client: ways to a server that has fallen silent.
  var search = PathSearch()
  /// What the peer calls itself, for people (PROTOCOL §1.5); it proves nothing.
  let peerName: String?

  /// The largest number of failed tags before the key is given up (PROTOCOL §2).
  static let failedTagLimit: UInt64 = 1 << 36

  /// What a handshake hands over.
  struct Opening: ~Copyable {
    let handle: SessionHandle
    let peer: PlayerID
    let localConnectionID: ConnectionID
    let peerConnectionID: ConnectionID
    let signingPolicy: SigningPolicy
    let peerParameters: HandshakeParameters
    var keys: SessionKeys
    let path: NetworkPath
    let isPathValidated: Bool
    let followsPeer: Bool
    /// What the handshake told the peer of our limits: the defaults of the protocol where it told nothing.
    let announcesLimits: Bool
  }

  init(_ opening: consuming Opening, context: EndpointContext, now: Instant) {
    let configuration = context.configuration
    handle = opening.handle
    peer = opening.peer
    issuedIDs = IssuedConnectionIDs(opening.localConnectionID)
    peerIDs = PeerConnectionIDs(opening.peerConnectionID, token: opening.peerParameters.resetToken)
    signingPolicy = opening.signingPolicy
    followsPeer = opening.followsPeer
    self.context = context
    verifier = SignatureVerifier(peer: opening.peer)
    sendPhase = SendPhase(startedAt: now)
    traps = NumberTraps(session: opening.handle.rawValue, key: context.trapKey)
    received = ReceivedPackets(
      maximumAckDelay: configuration.maximumAckDelay, patientAckDelay: configuration.patientAckDelay,
      ackElicitingThreshold: configuration.ackElicitingThreshold)
    congestion = NewReno(maximumDatagramSize: configuration.packetSize)
    pacer = Pacer(maximumDatagramSize: configuration.packetSizeLimit)
    mtu = MTUDiscovery(base: configuration.packetSize, maximum: configuration.packetSizeLimit)
    paths = PathManager(opening.path, isValidated: opening.isPathValidated)
    networkKey = NetworkKey(remote: opening.path.remote.ip, here: .counted(0))
    channels = Channels(
      configuration: configuration, peer: opening.peerParameters,
      announcesLimits: opening.announcesLimits)
    // Only a client may find out that its peer has forgotten the session.
    channels.keepsBehindGaps = !opening.followsPeer
    maximumOutgoingMessage = Channels.maximumMessageSize(configuration, peer: opening.peerParameters)
    keepAlive = KeepAlive(configuration, yields: opening.followsPeer, now: now)
    lastTraffic = now
    ackDelays = AckDelayTracker(maximumAckDelay: configuration.maximumAckDelay)
    peerClock = PeerClock(local: context.clock, now: now)
    peerName = opening.peerParameters.displayName
    keys = opening.keys
  }

  // MARK: Getters

  var isEnded: Bool { if case .ended = state { true } else { false } }

  /// Whether nothing more is to be said: it has ended, or the other side has closed it and was answered.
  var isFinished: Bool {
    switch state {
    case .open, .closing: false
    case .draining: closeEchoesLeft == 0
    case .ended: true
    }
  }

  /// Nothing was heard of the peer for a while.
  var isOffline: Bool { keepAlive.isOffline }

  var isOpen: Bool { if case .open = state { true } else { false } }

  /// Client: our Finish may not have arrived, or may not have been liked.
  var awaitsConfirmation: Bool { isOpen && !isAnnounced }

  /// Where the peer is: the address that packets go to.
  var peerAddress: NetworkAddress { paths.active.path.remote }

  /// Bytes queued or unacknowledged.
  var queuedBytes: Int { channels.queuedBytes }

  /// One probe timeout without backoff, capped (PROTOCOL §10.4).
  var probeTimeout: Duration {
    let configuration = context.configuration
    let cap = isOffline ? configuration.offlineProbeTimeoutCap : configuration.probeTimeoutCap
    return min(rtt.probeTimeout(maximumAckDelay: configuration.maximumAckDelay), cap)
  }

  // MARK: What the app asks

  /// Queues a message; only enqueues.
  func send(_ content: consuming [UInt8], _ options: MessageOptions, now: Instant) throws(SendError) {
    guard isOpen, !closesWhenDelivered else { throw .notConnected }
    let limit = maximumOutgoingMessage
    guard content.count <= limit + MessageContent.maximumHeader else {
      throw .tooLarge(size: content.count, limit: limit)
    }
    let queueLimit = context.configuration.sendQueueLimit
    // An empty queue takes any message, as long as not too many receipts are awaited.
    guard
      channels.queuedMessages == 0 && queuedBytes < queueLimit
        || Channels.cost(content.count) <= queueLimit - queuedBytes
    else {
      throw .queueFull(limit: queueLimit)
    }
    let size = content.count
    channels.enqueue(content, options, now: now)
    noteTraffic(now: now)
    bundle(size, options, now: now)
    tellOutcomes()
    context.statistics.messagesSent += 1
    counters.messagesSent += 1
  }

  /// The app has taken messages worth `credit`.
  func consumed(_ credit: Int, of stream: StreamID) { channels.onConsumed(credit, of: stream) }

  /// A round trip of the handshake, as a first estimate: without it a lost first packet would cost a second. Only where
  /// it is shorter than the guess: a repeated Finish makes it look longer than it is.
  func learnRoundTrip(_ sample: Duration) {
    guard sample < RTTEstimator.initialRTT else { return }
    rtt.update(latest: sample, ackDelay: .zero, maximumAckDelay: context.configuration.maximumAckDelay)
  }
}
