import RoamkeyWire

/// Where the peer is: the active path, the one it was on before, and one that may take its place (PROTOCOL §5).
///
/// Both ends keep one. A server follows its clients: the newest authentic, non-probing packet moves the session
/// (PathManager+Following.swift). A client's path changes by decision: its own (`PathSearch` finds where to), or since
/// its server says that it has moved.
struct PathManager: Sendable {
  /// What is to leave by the path that a challenge came from, in a packet of its own.
  struct Response: Sendable, Equatable {
    enum Answer: Sendable, Equatable {
      /// The path is wanted.
      case response
      /// The path was left, on purpose.
      case drop
    }
    var answer: Answer
    var data: UInt64
    var path: NetworkPath
    /// Bytes that may be sent there for it: three times what asked.
    var budget: Int
  }

  /// A challenge that leaves in a packet of its own, since it is not for the active path.
  struct Challenge: Sendable, Equatable {
    var data: UInt64
    var path: NetworkPath
    /// Bytes that may be sent there.
    var budget: Int
  }

  /// What an authentic packet, an answer or its absence has changed.
  struct Outcome: Sendable, Equatable {
    /// Packets leave for elsewhere now, from this remote address to that one.
    var change: Change?
    /// What the app is to be told: the peer was last said to be there, and is now here.
    var roamed: Change?

    static let unchanged = Outcome()
  }

  struct Change: Sendable, Equatable {
    var from: NetworkAddress
    var to: NetworkAddress

    /// Another machine, or another network, as opposed to another port of the same.
    var isNewIP: Bool { from.ip != to.ip }
  }

  // First what each packet asks for.
  var active: PathState
  /// Whether there is any path but the active one: seldom, and then for moments.
  private var hasOthers = false
  private(set) var responses: [Response] = []
  /// The last validated path, which may win the session back while it is not clear that it was left.
  var fallback: PathState? { didSet { hasOthers = fallback != nil || candidate != nil } }
  /// An address that sends and is not believed any more without proof.
  var candidate: PathState? { didSet { hasOthers = fallback != nil || candidate != nil } }
  /// While there is a candidate: the active path was asked, and has not answered.
  var isActiveSilent = false
  /// What the app was last told.
  private(set) var announced: NetworkAddress
  /// No candidate before that.
  var nextDoubt: Instant?
  /// When the session went back to where it was, newest last.
  var reversals: [Instant] = []

  /// Challenges answered at a time: more is not what an honest peer asks.
  private static let maximumResponses = 4
  static let challengeTries = 3
  /// A challenge fails after this many times the probe timeout, or as many seconds where that is longer.
  static let challengePatience = 3

  init(_ path: NetworkPath, isValidated: Bool) {
    active = PathState(path, isValidated: isValidated)
    announced = path.remote
  }

  /// Whether packets leave for an address that is not validated yet.
  var isValidating: Bool { !active.isValidated && active.challenge != nil }

  // MARK: Changing

  /// Our own decision: packets leave by another path from now on. What its other end said of itself still holds.
  mutating func move(to path: NetworkPath, isValidated: Bool) -> Outcome {
    let from = active.path.remote
    active = PathState(path, isValidated: isValidated)
    fallback = nil
    candidate = nil
    responses.removeAll(keepingCapacity: true)
    var outcome = Outcome(change: Change(from: from, to: path.remote))
    if isValidated { outcome.roamed = announce() }
    return outcome
  }

  /// Notes that the app is told where the peer is, if that is news.
  mutating func announce() -> Change? {
    guard announced != active.path.remote else { return nil }
    defer { announced = active.path.remote }
    return Change(from: announced, to: active.path.remote)
  }

  /// A session that begins at an address that is not proven: the Finish came from elsewhere than the Hello.
  mutating func challengeFirst(_ data: UInt64, received: Int, probeTimeout: Duration, now: Instant) {
    active.onReceived(received)
    active.challenge = Self.challenge(data, probeTimeout: probeTimeout, now: now)
  }

  static func challenge(_ data: UInt64, probeTimeout: Duration, now: Instant) -> PathState.Challenge {
    PathState.Challenge(
      data: data, triesLeft: challengeTries, nextTry: now,
      deadline: now + max(probeTimeout, .seconds(1)) * challengePatience)
  }

  // MARK: Being asked

  /// A PATH_CHALLENGE in a packet of `size` bytes: it is answered once, to where it came from, from the address that it
  /// reached.
  mutating func onChallenge(_ data: UInt64, from path: NetworkPath, size: Int, answer: Response.Answer) {
    guard responses.count < Self.maximumResponses else { return }
    responses.append(
      Response(answer: answer, data: data, path: path, budget: size * PathState.amplificationFactor))
  }

  /// The next response to send, if any.
  mutating func takeResponse() -> Response? { responses.isEmpty ? nil : responses.removeFirst() }

  // MARK: Asking

  /// The data of a challenge to the active path that is due now; the next try follows after `interval`.
  mutating func takeChallenge(now: Instant, interval: Duration) -> UInt64? {
    active.takeChallenge(now: now, interval: interval)
  }

  /// A challenge to another path that is due now.
  mutating func takeOtherChallenge(now: Instant, interval: Duration) -> Challenge? {
    guard hasOthers else { return nil }
    if let data = fallback?.takeChallenge(now: now, interval: interval), let path = fallback?.path {
      return Challenge(data: data, path: path, budget: .max)
    }
    if let candidate, candidate.budget > 0, let data = self.candidate?.takeChallenge(now: now, interval: interval) {
      return Challenge(data: data, path: candidate.path, budget: candidate.budget)
    }
    return nil
  }

  /// When a challenge is to be repeated or given up. `isBlocked`: nothing may be sent to the active path, so that a
  /// repetition there can wait.
  @inline(__always)
  func nextTimeout(isBlocked: Bool) -> Instant? {
    var next = Instant.distantFuture
    if let challenge = active.challenge { next = challenge.nextTimeout(isBlocked: isBlocked) }
    if hasOthers {
      if let challenge = fallback?.challenge { next = min(next, challenge.nextTimeout(isBlocked: false)) }
      if let challenge = candidate?.challenge {
        next = min(next, challenge.nextTimeout(isBlocked: candidate?.budget == 0))
      }
    }
    return next == .distantFuture ? nil : next
  }

  // MARK: What may be sent

  /// How many bytes may go to the active path's address: without limit to a validated one.
  var budget: Int { active.budget }

  /// How many bytes an answer may have.
  func budget(of response: Response) -> Int {
    if response.path.remote == active.path.remote { return active.budget }
    return response.path.remote == fallback?.path.remote ? .max : response.budget
  }

  mutating func onSent(_ bytes: Int, to remote: NetworkAddress) {
    if remote == active.path.remote {
      active.onSent(bytes)
    } else if remote == candidate?.path.remote {
      candidate?.onSent(bytes)
    }
  }
}
