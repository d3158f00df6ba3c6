/// How large a packet this path carries, found out by probes (DPLPMTUD, RFC 8899) between a base that is taken for
/// granted and a maximum.
///
/// A probe is a packet of its own, larger than any other: its loss costs nothing that a player waits for. Nobody who
/// never fills a packet needs to know, so the search begins with the first full one. The maximum itself is tried first,
/// since most paths carry it; else what lies between is halved.
///
/// Being wrong is cheap on one side only: packets that are too small cost a few per cent, packets that are too large
/// never arrive. So the base comes back at the first good reason, and the next search follows soon.
package struct MTUDiscovery: Sendable {
  /// The search ends when the result is known within so many bytes.
  package static let granularity = 16
  /// So many lost probes of one size mean that it is too large (MAX_PROBES, RFC 8899 §5.1.2).
  package static let maximumLosses = 3
  /// So many probe timeouts in a row may mean that packets of this size vanish.
  package static let blackHoleTimeouts = 2
  /// When to look for more than was found (PMTU_RAISE_TIMER, RFC 8899 §5.1.1).
  package static let raiseInterval = Duration.seconds(600)
  /// The same after the first black hole; it doubles with each further one, up to `raiseInterval`. What looked like a
  /// black hole was often a network that was gone for a moment, and a search costs a handful of packets: ten minutes
  /// of smaller ones would be the dearer mistake. Where it was real, the doubling keeps the searches rare.
  package static let firstRetryInterval = Duration.seconds(60)

  private struct Search {
    var candidate: Int
    /// The smallest size known not to pass, or one above the maximum.
    var tooLarge: Int
    var losses = 0
    var isInFlight = false
  }

  /// Lost packets larger than the base, with none as large acknowledged in between.
  private struct LossRun {
    var count = 0
    var smallestSize = Int.max
    /// When the first of them was found lost.
    let foundAt: Instant
  }

  private enum State {
    /// Nothing is sought before that moment, nor before a full packet asks for it.
    case resting(until: Instant)
    case searching(Search)
  }

  package let base: Int
  package let maximum: Int
  /// The largest size of a packet that may be used now, in bytes of UDP payload.
  package private(set) var current: Int
  private var state = State.resting(until: Instant(nanoseconds: .min))
  private var isWanted = false
  private var nextProbe = Instant(nanoseconds: .min)
  private var losses: LossRun?
  private var lastBlackHole: Instant?
  private var retryInterval = MTUDiscovery.firstRetryInterval

  /// - Parameters:
  ///   - base: bytes that every path carries (BASE_PLPMTU).
  ///   - maximum: bytes never to be exceeded (MAX_PLPMTU); at or below the base nothing is probed.
  package init(base: Int, maximum: Int) {
    precondition((1...65_535).contains(base), "what a UDP datagram can hold")
    self.base = base
    self.maximum = min(max(base, maximum), 65_535)
    current = base
  }

  /// When the next probe may leave: only while a search is under way and no probe is. It may lie in the past.
  package var nextTimeout: Instant? {
    guard case .searching(let search) = state, !search.isInFlight else { return nil }
    return nextProbe
  }

  // MARK: What to send

  /// Somebody had a full packet to send: larger ones would be of use.
  package mutating func onFullPacket() { isWanted = current < maximum }

  /// The size of a probe that leaves now, if one is due. It is in flight from here on, one at a time, one a round trip.
  package mutating func takeProbe(now: Instant, rtt: Duration) -> Int? {
    var search: Search
    switch state {
    case .resting(let until):
      guard isWanted, current < maximum, now >= until else { return nil }
      search = Search(candidate: maximum, tooLarge: maximum + 1)
    case .searching(let running):
      guard !running.isInFlight, now >= nextProbe else { return nil }
      search = running
    }
    search.isInFlight = true
    state = .searching(search)
    nextProbe = now + max(rtt, .zero)
    return search.candidate
  }

  // MARK: What became of probes

  /// A probe arrived: its size may be used.
  package mutating func onProbeAcked(size: Int, now: Instant) {
    guard case .searching(let search) = state, search.isInFlight, size == search.candidate else { return }
    current = size
    onPacketAcked(size: size)
    proceed(below: search.tooLarge, now: now)
  }

  /// A probe is deemed lost. Once may be chance, `maximumLosses` times is its size.
  package mutating func onProbeLost(size: Int, now: Instant) {
    guard case .searching(var search) = state, search.isInFlight, size == search.candidate else { return }
    search.losses += 1
    search.isInFlight = false
    state = .searching(search)
    if search.losses >= Self.maximumLosses { proceed(below: search.candidate, now: now) }
  }

  /// The probe in flight was handed back without a verdict, as when the peer's port changes: it is sent again.
  package mutating func onProbeAbandoned() {
    guard case .searching(var search) = state else { return }
    search.isInFlight = false
    state = .searching(search)
  }

  /// The system refused to send a packet as too large (EMSGSIZE). A hint: who forges ICMP messages can cause it, so it
  /// leads to the base at worst, and to a search from there, never below.
  package mutating func onSizeRefused(_ size: Int, now: Instant) {
    guard size > base else { return }
    if size <= current {
      current = base
      losses = nil
      proceed(below: size, now: now)
    } else if case .searching(let search) = state, size < search.tooLarge {
      if size <= search.candidate {
        proceed(below: size, now: now)
      } else {
        var narrowed = search
        narrowed.tooLarge = size
        state = .searching(narrowed)
      }
    }
  }

  /// Goes on between what passes and what does not, or ends there.
  private mutating func proceed(below tooLarge: Int, now: Instant) {
    guard tooLarge - current > Self.granularity else { return rest(until: now + Self.raiseInterval) }
    state = .searching(Search(candidate: current + (tooLarge - current) / 2, tooLarge: tooLarge))
  }

  private mutating func rest(until: Instant) {
    state = .resting(until: until)
    isWanted = false
  }

  // MARK: Black holes (RFC 8899 §4.3)

  /// Packets that were no probes arrived, the largest of this size: what large ones were lost before met chance.
  package mutating func onPacketAcked(size: Int) {
    if let losses, size >= losses.smallestSize { self.losses = nil }
  }

  /// So many packets larger than the base were found lost now, probes not counted.
  ///
  /// A black hole is: three of them at least, none as large acknowledged in between, and the newest sent after the loss
  /// of the first was known. That is a round trip later, so one full queue, however many packets it drops, is none.
  /// What smaller packets do is not asked: without an acknowledgement of something newer, nothing is found lost.
  ///
  /// - Parameters:
  ///   - smallestSize: bytes of the smallest of them.
  ///   - newestSentAt: when the newest of them was sent.
  package mutating func onPacketsLost(_ count: Int, smallestSize: Int, newestSentAt: Instant, now: Instant) {
    guard count > 0, current > base else { return }
    var run = losses ?? LossRun(foundAt: now)
    run.count = min(run.count + min(count, Self.maximumLosses), Self.maximumLosses)
    run.smallestSize = min(run.smallestSize, smallestSize)
    losses = run
    if run.count >= Self.maximumLosses, newestSentAt >= run.foundAt { fallBack(now: now) }
  }

  /// The probe timer fired for the `count`th time in a row: where all packets are large, nothing else tells.
  package mutating func onProbeTimeout(count: Int, now: Instant) {
    if count >= Self.blackHoleTimeouts { fallBack(now: now) }
  }

  private mutating func fallBack(now: Instant) {
    guard current > base else { return }
    // Far apart they are not one persistent hole.
    if let lastBlackHole, now - lastBlackHole < Self.raiseInterval * 2 {
      retryInterval = min(retryInterval * 2, Self.raiseInterval)
    } else {
      retryInterval = Self.firstRetryInterval
    }
    lastBlackHole = now
    current = base
    losses = nil
    rest(until: now + retryInterval)
  }

  /// The path leads to another IP address: nothing is known of it (PROTOCOL §5, RFC 9000 §14.2).
  package mutating func reset() { self = MTUDiscovery(base: base, maximum: maximum) }
}
