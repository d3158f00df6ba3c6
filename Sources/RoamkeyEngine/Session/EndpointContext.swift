import DequeModule
import RoamkeyCrypto

/// What an endpoint shares with its sessions: who we are, the limits, the counters, and the events for the app.
/// All of it belongs to the one thread that runs the endpoint.
final class EndpointContext {
  let key: PlayerKey
  let configuration: RoamkeyConfiguration
  /// What messages say when they were sent by.
  let clock: LocalClock
  var entropy: Entropy
  /// Decides which packet numbers are left out (`NumberTraps`).
  let trapKey: SipHash.Key
  // As in `Session`.
  #if !DEBUG
    @exclusivity(unchecked)
  #endif
  var statistics = EndpointStatistics()
  #if !DEBUG
    @exclusivity(unchecked)
  #endif
  var events = Deque<EngineEvent>()
  /// Packets of the batch that is being filled.
  #if !DEBUG
    @exclusivity(unchecked)
  #endif
  var pending = PendingPackets()
  /// Signatures of the batch that is being received.
  #if !DEBUG
    @exclusivity(unchecked)
  #endif
  var ahead = VerificationsAhead()
  /// Whom the next datagrams are for.
  #if !DEBUG
    @exclusivity(unchecked)
  #endif
  var expected = ExpectedSessions()

  // Reused from packet to packet, so that nothing is allocated in the steady state; of no meaning between two calls, so
  // that all sessions share them.
  #if !DEBUG
    @exclusivity(unchecked)
  #endif
  var ackedFrames: [SentFrame] = []
  #if !DEBUG
    @exclusivity(unchecked)
  #endif
  var lostFrames: [SentFrame] = []
  var suspectFrames: [SentFrame] = []
  #if !DEBUG
    @exclusivity(unchecked)
  #endif
  var writtenFrames: [SentFrame] = []

  /// Keeps what was received as evidence; nil where nobody wants that.
  let recorder: (any PacketRecorder)?

  /// - Parameter clock: one that is shared with others; nil for one of its own.
  init(
    key: consuming PlayerKey, configuration: RoamkeyConfiguration, entropy: Entropy, clock: LocalClock? = nil,
    recorder: (any PacketRecorder)? = nil
  ) {
    self.key = key
    self.recorder = recorder
    self.configuration = configuration
    var entropy = entropy
    self.clock = clock ?? LocalClock(random: entropy.clockOrigin())
    trapKey = entropy.hashKey()
    self.entropy = entropy
  }
}
