import RoamkeyWire

/// How a client finds a way to its server when the one in use has fallen silent, or when the server writes from
/// elsewhere (PROTOCOL §5.6, §5.7): by challenges, and nothing else, to every address and through every door that it
/// knows.
///
/// The silence is the session's to judge; what is known of ways is kept here.
struct PathSearch: Sendable {
  /// Why a path was asked.
  enum Reason: Sendable {
    /// The server wrote from there.
    case following
    /// The path in use is silent, or there is no way to it.
    case searching
  }

  /// A path that was asked.
  private struct Probe: Sendable {
    let path: NetworkPath
    let data: UInt64
    let reason: Reason
    /// The Finish goes in front of it: the server may not have it yet.
    var owesFinish = false
    var triesLeft: Int
    var nextTry: Instant
    let deadline: Instant
  }

  /// What is due for the session.
  struct Tick: Sendable, Equatable {
    /// Ask the path in use as well, by whatever it has to send.
    var wakesActive = false
    /// The server's name should be looked up again.
    var wantsLookup = false
  }

  /// Sockets that send through other interfaces (`NetworkView.doors`).
  var doors: [NetworkAddress] = []
  /// Addresses that the app gave, or its name stood for, and those that were once in use: they are trusted to be asked.
  private var given: [NetworkAddress] = []
  private var used: [NetworkAddress] = []
  /// What the server has told, and the number of that news.
  private var told: [NetworkAddress] = []
  private var toldSequence: UInt64?
  /// How often told addresses may still be asked.
  private var toldAsks = PathSearch.toldBurst
  private var toldRefill: Instant?
  private var probes: [Probe] = []
  /// A path that has answered while the one in use was silent.
  var found: NetworkPath?
  /// When servers were followed to where they wrote from.
  private var followed: [Instant] = []
  /// The system has no way to the address in use, since then.
  private(set) var routeLostAt: Instant?
  /// The silence that is being searched, and what was done in it.
  private var silence: Instant?
  private var lastTick: Instant?
  /// Addresses came while searching: they are asked at once.
  private var hasNews = false
  private var nextLookup: Instant?
  private var lookupPause = PathSearch.firstLookupPause

  /// More than a name has, and more than one session uses; the oldest used ones are forgotten.
  private static let givenLimit = 16
  private static let usedLimit = 8
  /// What is asked in the three seconds for which answers are awaited, and more.
  private static let probeLimit = 256
  /// What a server tells may be somebody else's address: it is asked so often, and then once a second.
  private static let toldBurst = 96
  private static let toldPause = Duration.seconds(1)
  /// A search is a handful of small packets, for as long as nobody answers: often enough at first that nobody waits for
  /// a second once the server is there again, then rarer. A silence of so long is searched so often.
  private static let paces: [(upTo: Duration, pause: Duration)] = [
    (.seconds(3), .milliseconds(250)), (.seconds(60), .milliseconds(500)), (.seconds(300), .milliseconds(800)),
  ]
  private static let slowestPace = Duration.seconds(5)
  /// Probe timeouts of silence after which addresses are searched; through other doors it begins after the first.
  static let searchTimeouts = 3
  /// Time for the system to put a new route in the place of an old one.
  private static let routePatience = Duration.milliseconds(5)
  /// A server is followed to so many addresses in so much time.
  private static let followLimit = 3
  private static let followPeriod = Duration.seconds(10)
  static let firstLookupPause = Duration.seconds(1)
  static let longestLookupPause = Duration.seconds(30)

  // MARK: What is known

  /// Addresses that the app stands for.
  mutating func learn(_ addresses: [NetworkAddress]) {
    for address in addresses where !given.contains(address) {
      if given.count == Self.givenLimit { given.removeFirst() }
      given.append(address)
      hasNews = lastTick != nil
    }
  }

  private mutating func noteUse(_ address: NetworkAddress) {
    guard !used.contains(address) else { return }
    if used.count == Self.usedLimit { used.removeFirst() }
    used.append(address)
  }

  /// What the server tells; a late one says nothing.
  mutating func learn(told addresses: [NetworkAddress], sequence: UInt64) {
    guard sequence > toldSequence ?? 0 || toldSequence == nil else { return }
    toldSequence = sequence
    told = addresses
  }

  /// Whether a server may be looked for at an address that somebody has named: never where a packet would bother this
  /// machine, a group, or a private network that the player did not choose (PROTOCOL §5.6).
  static func isAcceptable(_ address: NetworkAddress, from current: NetworkAddress) -> Bool {
    if address.port == 0 || address.isUnspecified || address.isMulticast || address.isBroadcast { return false }
    if address.isLoopback { return current.isLoopback }
    if address.isSelfAssigned { return false }
    return !address.isPrivate || current.isPrivate || current.isLoopback
  }

  private func mayAsk(_ address: NetworkAddress, from current: NetworkAddress) -> Bool {
    given.contains(address) || used.contains(address) || Self.isAcceptable(address, from: current)
  }

  /// The system has no way to the address in use, or has one again.
  mutating func setRoute(isLost: Bool, now: Instant) {
    routeLostAt = isLost ? routeLostAt ?? now : nil
  }

  // MARK: Following

  /// The server wrote from an address that is not the one in use, and may have moved there: it is asked.
  mutating func follow(
    to path: NetworkPath, from current: NetworkAddress, probeTimeout: Duration, now: Instant,
    random number: () -> UInt64
  ) {
    guard mayAsk(path.remote, from: current), !probes.contains(where: { $0.reason == .following }) else { return }
    followed.removeAll { now - $0 > Self.followPeriod }
    guard followed.count < Self.followLimit else { return }
    followed.append(now)
    ask(path, .following, probeTimeout: probeTimeout, now: now, random: number)
  }

  private mutating func ask(
    _ path: NetworkPath, _ reason: Reason, withFinish: Bool = false, probeTimeout: Duration, now: Instant,
    random number: () -> UInt64
  ) {
    if probes.count >= Self.probeLimit, let oldest = probes.firstIndex(where: { $0.reason == .searching }) {
      probes.remove(at: oldest)
    }
    let isFollowing = reason == .following
    probes.append(
      Probe(
        path: path, data: number(), reason: reason, owesFinish: withFinish,
        triesLeft: isFollowing ? PathManager.challengeTries : 1,
        nextTry: now, deadline: now + max(probeTimeout, .seconds(1)) * PathManager.challengePatience))
  }

  // MARK: Searching

  /// When `tick` is due, in a silence that began at `silence`; nil: nothing is searched.
  func nextTick(silence: Instant?, probeTimeout: Duration, current: NetworkPath) -> Instant? {
    guard let start = routeLostAt ?? silence else { return nil }
    let search = routeLostAt.map { $0 + Self.routePatience } ?? start + probeTimeout * Self.searchTimeouts
    guard let lastTick, self.silence == start else {
      return routeLostAt == nil && hasOtherDoors(current) ? start + probeTimeout : search
    }
    if hasNews { return lastTick }
    return lastTick < search ? search : lastTick + pause(after: lastTick - start)
  }

  private func pause(after silence: Duration) -> Duration {
    Self.paces.first { silence < $0.upTo }?.pause ?? Self.slowestPace
  }

  private func hasOtherDoors(_ current: NetworkPath) -> Bool {
    isDoor(current.local) || !doors.isEmpty
  }

  func isDoor(_ local: NetworkAddress) -> Bool { doors.contains { $0.port == local.port && $0.ip == local.ip } }

  /// Asks what may be asked now.
  /// - Parameter withFinish: nothing was heard of the server in this session: what it is asked follows a Finish.
  mutating func tick(
    silence: Instant?, withFinish: Bool = false, probeTimeout: Duration, current: NetworkPath, now: Instant,
    random number: () -> UInt64
  ) -> Tick {
    guard let silence = routeLostAt ?? silence else { return Tick() }
    if self.silence != silence {
      (self.silence, nextLookup, lookupPause) = (silence, nil, Self.firstLookupPause)
    }
    lastTick = now
    hasNews = false
    for local in otherLocals(than: current.local) {
      let path = NetworkPath(local: local, remote: current.remote)
      ask(path, .searching, withFinish: withFinish, probeTimeout: probeTimeout, now: now, random: number)
    }
    guard routeLostAt != nil || now >= silence + probeTimeout * Self.searchTimeouts else { return Tick() }
    for remote in otherRemotes(than: current.remote, now: now) {
      let path = NetworkPath(local: .any(port: 0), remote: remote)
      ask(path, .searching, withFinish: withFinish, probeTimeout: probeTimeout, now: now, random: number)
    }
    var tick = Tick(wakesActive: true)
    if now >= nextLookup ?? now {
      tick.wantsLookup = true
      nextLookup = now + lookupPause
      lookupPause = min(lookupPause * 2, Self.longestLookupPause)
    }
    return tick
  }

  private func otherLocals(than current: NetworkAddress) -> [NetworkAddress] {
    let others = doors.filter { $0 != current }
    return isDoor(current) ? [.any(port: 0)] + others : others
  }

  /// Where the server may be, when it is asked for another session; the address in use first.
  func everyRemote(from current: NetworkAddress) -> [NetworkAddress] {
    var remotes = [current]
    for address in given + used where !remotes.contains(address) { remotes.append(address) }
    for address in told where !remotes.contains(address) && Self.isAcceptable(address, from: current) {
      remotes.append(address)
    }
    return remotes
  }

  private mutating func otherRemotes(than current: NetworkAddress, now: Instant) -> [NetworkAddress] {
    var remotes: [NetworkAddress] = []
    for address in given + used where address != current && !remotes.contains(address) { remotes.append(address) }
    for address in told where address != current && !remotes.contains(address) {
      if Self.isAcceptable(address, from: current), maySpendOnTold(now: now) { remotes.append(address) }
    }
    return remotes
  }

  /// A server that tells the addresses of others must not make its clients a nuisance to them.
  private mutating func maySpendOnTold(now: Instant) -> Bool {
    if toldAsks == 0, let toldRefill, now - toldRefill >= Self.toldPause { toldAsks = 1 }
    guard toldAsks > 0 else { return false }
    toldAsks -= 1
    toldRefill = now
    return true
  }

  /// The path in use works: what was asked does not matter any more.
  mutating func end() {
    guard lastTick != nil || found != nil else { return }
    probes.removeAll { $0.reason == .searching }
    (silence, lastTick, found) = (nil, nil, nil)
  }

  /// Another path is in use: nothing that was asked matters any more.
  mutating func onMoved(to path: NetworkPath) {
    noteUse(path.remote)
    probes.removeAll()
    (silence, lastTick, routeLostAt, found) = (nil, nil, nil, nil)
  }

  // MARK: Challenges

  /// Where a Finish is to go before the challenge that is due.
  mutating func takeFinishPath(now: Instant) -> NetworkPath? {
    guard let place = probes.firstIndex(where: { $0.triesLeft > 0 && now >= $0.nextTry }), probes[place].owesFinish
    else { return nil }
    probes[place].owesFinish = false
    return probes[place].path
  }

  /// A challenge that is due now; the next try follows after `interval`.
  mutating func takeChallenge(now: Instant, interval: Duration) -> PathManager.Challenge? {
    guard let place = probes.firstIndex(where: { $0.triesLeft > 0 && now >= $0.nextTry }) else { return nil }
    probes[place].triesLeft -= 1
    probes[place].nextTry = now + interval
    return PathManager.Challenge(data: probes[place].data, path: probes[place].path, budget: .max)
  }

  /// An answer: which path it stands for, and why that was asked.
  mutating func onResponse(_ data: UInt64) -> (path: NetworkPath, reason: Reason)? {
    guard let place = probes.firstIndex(where: { $0.data == data }) else { return nil }
    let probe = probes.remove(at: place)
    return (probe.path, probe.reason)
  }

  /// When a challenge is to be repeated, or given up.
  @inline(__always)
  var nextTimeout: Instant? {
    var next: Instant?
    for probe in probes {
      let timeout = probe.triesLeft > 0 ? min(probe.nextTry, probe.deadline) : probe.deadline
      next = next.map { min($0, timeout) } ?? timeout
    }
    return next
  }

  mutating func handleTimeout(now: Instant) { probes.removeAll { now >= $0.deadline } }
}
