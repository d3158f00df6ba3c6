/// Decides when a ping is due, when the peer counts as offline, and when the session ends (PROTOCOL §11.1).
///
/// All of it follows from what was noted here, and from what the session knows of its packets (`Packets`): there is no
/// deadline to be moved. Which rules hold is decided for a whole silence, from hearing something to hearing something:
/// a session that would become quiet in the middle of one is still judged as playing, since a deadline that recedes
/// while somebody is missed would be a surprise.
struct KeepAlive: Sendable {
  /// What the session is to do now.
  enum Action: Sendable, Equatable {
    case nothing
    /// Send a PING.
    case ping
    /// The peer is offline from here on: tell the app, and send a PING.
    case offline
    /// Nobody is there, or nobody came back from resting.
    case end
  }

  /// What the session knows of its packets.
  struct Packets: Sendable {
    /// When something ack-eliciting was sent last, if ever.
    var lastAckElicitingSent: Instant?
    /// Something ack-eliciting is on its way, or a ping is owed: probes do the pinging.
    var isAnswerAwaited: Bool
  }

  private enum State: Sendable {
    case online
    case offline(since: Instant)
  }

  /// Shorter intervals count as this: whoever sets 0 means "often", and is not to have a loop without a pause.
  static let shortestInterval = Duration.milliseconds(100)

  // The configuration as it counts.
  private let pingInterval: Duration
  private let courtesy: Duration
  private let quietInterval: Duration
  private let untilOffline: Duration
  private let untilOfflineWhenQuiet: Duration
  private let quietAfter: Duration
  private let offlineLimit: Duration
  private let restingLimit: Duration

  private var state = State.online
  /// When something authentic was heard last.
  private(set) var lastHeard: Instant
  /// When a message was sent or received last, or an app said that it rests no more.
  private var lastAppTraffic: Instant
  /// When the silence began to count though nothing was heard: the session was woken, or ceased to be quiet.
  private var wokenAt: Instant?
  private var restingSince: Instant?

  /// - Parameter yields: whether the peer's PING is waited for a little: one of both sides' is enough, and both would
  ///   be due at the same time.
  init(_ configuration: RoamkeyConfiguration, yields: Bool = false, now: Instant) {
    let misses = Int64(max(1, configuration.missesUntilOffline))
    pingInterval = Self.bounded(configuration.keepAliveInterval, atLeast: Self.shortestInterval)
    courtesy = yields ? pingInterval / 5 : .zero
    quietInterval = Self.bounded(configuration.quietInterval, atLeast: pingInterval)
    untilOffline = Self.product(pingInterval, misses)
    untilOfflineWhenQuiet = Self.bounded(quietInterval + Self.product(pingInterval, misses - 1))
    quietAfter = Self.bounded(configuration.quietAfter)
    offlineLimit = Self.bounded(configuration.offlineLimit)
    restingLimit = Self.bounded(configuration.restingLimit)
    lastHeard = now
    lastAppTraffic = now
  }

  // MARK: What happened

  /// Something authentic was heard.
  /// - Returns: whether the peer was offline, and is back.
  mutating func onHeard(now: Instant) -> Bool {
    lastHeard = max(lastHeard, now)
    guard case .offline = state else { return false }
    state = .online
    return true
  }

  /// A message was sent or received: nobody is quiet, nobody rests.
  mutating func onAppTraffic(now: Instant) {
    guard restingSince == nil else {
      wake(now: now)
      return
    }
    // The silence of a quiet session may be longer than a player's is allowed to be. It begins anew, but only once:
    // else an app that says something now and then would keep a peer that is gone from being missed.
    if presence(now: now) == .quiet, wokenAt ?? lastHeard <= lastHeard { wokenAt = now }
    lastAppTraffic = max(lastAppTraffic, now)
  }

  /// Either app says that it rests.
  mutating func rest(now: Instant) { restingSince = restingSince ?? now }

  /// Either app says that it rests no more. The time of rest was no silence: it begins now.
  mutating func wake(now: Instant) {
    guard restingSince != nil else { return }
    restingSince = nil
    wokenAt = now
    lastAppTraffic = max(lastAppTraffic, now)
    if case .offline = state { state = .offline(since: now) }
  }

  // MARK: Getters

  var isOffline: Bool { if case .offline = state { true } else { false } }

  func presence(now: Instant) -> Presence {
    if restingSince != nil { return .resting }
    return now < lastAppTraffic + quietAfter ? .playing : .quiet
  }

  /// Until when things are done that only matter to those who play, such as comparing clocks; long past while nobody
  /// plays.
  var activeUntil: Instant {
    restingSince == nil && !isOffline ? lastAppTraffic + quietAfter : Instant(nanoseconds: .min)
  }

  /// Whether a probe may leave that is due at a moment. While resting, only as long as a player's silence would be
  /// borne: so the news that somebody rests arrives in spite of losses, and a peer that is gone is not probed for
  /// hours.
  func allowsProbe(at moment: Instant) -> Bool {
    guard let restingSince else { return true }
    return moment < max(restingSince, lastHeard) + untilOffline
  }

  // MARK: Decisions

  /// When `takeDue` is to be called next. Whatever it returned, that is later once it has been done.
  func nextTimeout(_ packets: Packets) -> Instant {
    if let restingSince { return max(restingSince, lastHeard) + restingLimit }
    switch state {
    case .offline(let since): return since + offlineLimit
    case .online: break
    }
    guard !packets.isAnswerAwaited else { return offlineDeadline }
    let lastSign = max(silentSince, packets.lastAckElicitingSent ?? silentSince)
    return min(lastSign + (isJudgedAsQuiet ? quietInterval : pingInterval) + courtesy, offlineDeadline)
  }

  /// What is due; from `.offline` on the peer is offline.
  mutating func takeDue(_ packets: Packets, now: Instant) -> Action {
    guard now >= nextTimeout(packets) else { return .nothing }
    if restingSince != nil || isOffline { return .end }
    guard now >= offlineDeadline else { return .ping }
    guard offlineLimit > .zero else { return .end }
    state = .offline(since: now)
    return .offline
  }

  /// When the silence began that counts.
  private var silentSince: Instant { max(lastHeard, wokenAt ?? lastHeard) }

  /// Whether the rules of the quiet hold for this silence: its first ping would be due in quiet.
  private var isJudgedAsQuiet: Bool { silentSince + pingInterval >= lastAppTraffic + quietAfter }

  private var offlineDeadline: Instant {
    silentSince + (isJudgedAsQuiet ? untilOfflineWhenQuiet : untilOffline)
  }

  // MARK: Any configuration

  /// At least so long, and no longer than an `Instant` can count.
  private static func bounded(_ duration: Duration, atLeast least: Duration = .zero) -> Duration {
    max(least, .nanoseconds(duration.inNanoseconds))
  }

  private static func product(_ duration: Duration, _ factor: Int64) -> Duration {
    let (product, overflow) = duration.inNanoseconds.multipliedReportingOverflow(by: factor)
    return .nanoseconds(overflow ? .max : product)
  }
}
