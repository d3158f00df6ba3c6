import RoamkeyWire

/// Where the peer is: the active path, the one it was on before, and what is being found out (PROTOCOL §5).
///
/// First form: the newest authentic, non-probing packet moves the session; the new address is challenged; if it does
/// not answer, the session goes back. A client's path is its server's address and stays as it is.
struct PathManager: Sendable {
  /// A response that must leave by the path its challenge came from.
  struct Response: Sendable {
    var data: UInt64
    var path: NetworkPath
  }

  /// What an authentic packet, or an answer, meant for the app.
  enum Outcome: Sendable, Equatable {
    case unchanged
    /// The peer is sending from elsewhere; it is not yet shown that it receives there. The IP address is another one,
    /// or only the port.
    case moving(newIP: Bool)
    /// The peer is back where it was.
    case returned(newIP: Bool)
    case validated(from: NetworkAddress, to: NetworkAddress)
  }

  private(set) var active: PathState
  /// The last validated path, while the active one is not validated.
  private var fallback: PathState?
  /// What the app was last told.
  private(set) var announced: NetworkAddress
  private(set) var responses: [Response] = []

  /// Challenges answered at a time: more is not what an honest peer asks.
  private static let maximumResponses = 4
  private static let challengeTries = 3
  /// A challenge fails after this many times the probe timeout, or as many seconds where that is longer.
  private static let challengePatience = 3

  init(_ path: NetworkPath, isValidated: Bool) {
    active = PathState(path, isValidated: isValidated)
    announced = path.remote
  }

  /// Whether packets leave for an address that is not validated yet.
  var isValidating: Bool { active.challenge != nil }

  // MARK: Input

  /// An authentic packet came from `path`. `isNewest`: it has the highest number of all non-probing ones.
  mutating func onPacket(
    from path: NetworkPath, size: Int, isNewest: Bool, mayMove: Bool, challenge: @autoclosure () -> UInt64,
    probeTimeout: Duration, now: Instant
  ) -> Outcome {
    if path.remote == active.path.remote {
      active.path.local = path.local
      active.onReceived(size)
      if !active.isValidated, active.challenge == nil {
        // It did not answer, and there is no other to go back to: as long as it is heard, it is asked again.
        active.challenge = Self.challenge(challenge(), probeTimeout: probeTimeout, now: now)
      }
      return .unchanged
    }
    guard mayMove, isNewest else { return .unchanged }
    let newIP = path.remote.ip != active.path.remote.ip
    if let fallback, fallback.path.remote == path.remote {
      active = fallback
      active.path = path
      self.fallback = nil
      return .returned(newIP: newIP)
    }
    if active.isValidated { fallback = active }
    active = PathState(path, isValidated: false)
    active.onReceived(size)
    active.challenge = Self.challenge(challenge(), probeTimeout: probeTimeout, now: now)
    return .moving(newIP: newIP)
  }

  /// A session that begins at an address that is not proven: the Finish came from elsewhere than the Hello.
  mutating func challengeFirst(_ data: UInt64, received: Int, probeTimeout: Duration, now: Instant) {
    active.onReceived(received)
    active.challenge = Self.challenge(data, probeTimeout: probeTimeout, now: now)
  }

  private static func challenge(_ data: UInt64, probeTimeout: Duration, now: Instant) -> PathState.Challenge {
    PathState.Challenge(
      data: data, triesLeft: challengeTries, nextTry: now,
      deadline: now + max(probeTimeout, .seconds(1)) * challengePatience)
  }

  /// A PATH_CHALLENGE: it is answered once, to where it came from, from the address that it reached.
  mutating func onChallenge(_ data: UInt64, from path: NetworkPath) {
    guard responses.count < Self.maximumResponses else { return }
    responses.append(Response(data: data, path: path))
  }

  /// A PATH_RESPONSE, by whatever path: it validates the challenged address only.
  mutating func onResponse(_ data: UInt64) -> Outcome {
    guard let challenge = active.challenge, challenge.data == data else { return .unchanged }
    active.challenge = nil
    active.isValidated = true
    fallback = nil
    guard announced != active.path.remote else { return .unchanged }
    defer { announced = active.path.remote }
    return .validated(from: announced, to: active.path.remote)
  }

  /// Our own address changed: packets leave from wherever the system now sends them.
  mutating func onLocalChange(to local: NetworkAddress) {
    active.path.local = local
    responses.removeAll(keepingCapacity: true)
  }

  // MARK: Timers

  /// When a challenge is to be repeated or given up. `isBlocked`: nothing may be sent there, so a repetition can wait.
  func nextTimeout(isBlocked: Bool) -> Instant? {
    guard let challenge = active.challenge else { return nil }
    guard challenge.triesLeft > 0, !isBlocked else { return challenge.deadline }
    return min(challenge.nextTry, challenge.deadline)
  }

  /// Gives up on an address that does not answer, and goes back to the last one that did.
  mutating func handleTimeout(now: Instant) -> Outcome {
    guard let challenge = active.challenge, now >= challenge.deadline else { return .unchanged }
    active.challenge = nil
    guard let fallback else { return .unchanged }
    let newIP = fallback.path.remote.ip != active.path.remote.ip
    active = fallback
    self.fallback = nil
    return .returned(newIP: newIP)
  }

  // MARK: Output

  /// The next response to send, if any.
  mutating func takeResponse() -> Response? { responses.isEmpty ? nil : responses.removeFirst() }

  /// The data of a challenge that is due now; the next try follows after `interval`.
  mutating func takeChallenge(now: Instant, interval: Duration) -> UInt64? {
    guard let challenge = active.challenge, challenge.triesLeft > 0, now >= challenge.nextTry else { return nil }
    active.challenge?.triesLeft -= 1
    active.challenge?.nextTry = now + interval
    return challenge.data
  }

  /// How many bytes may go to an address: without limit to validated ones.
  func budget(for remote: NetworkAddress) -> Int {
    if remote == active.path.remote { return active.budget }
    if let fallback, fallback.path.remote == remote { return .max }
    return 0
  }

  mutating func onSent(_ bytes: Int, to remote: NetworkAddress) {
    if remote == active.path.remote { active.onSent(bytes) }
  }
}
