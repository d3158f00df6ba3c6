package import RoamkeyCrypto
internal import RoamkeyWire

/// Looks for servers on the local network (PROTOCOL §15.3), sans-IO: asks, believes what is signed and answers a
/// question of the last seconds, and forgets who says goodbye or nothing.
package struct ServerSeeker {
  private struct Question {
    var nonce: UInt128
    var number: UInt64
    var at: Instant
  }

  /// A server that has said goodbye: a beacon of the same instance that was under way does not bring it back.
  private struct Departure {
    var server: PlayerID
    var instance: UInt64
    var at: Instant
  }

  /// Servers that are listed. A person looks at them; and who floods the link with servers of many keys fills no more.
  static let mostServers = 256
  private static let mostDepartures = 64
  /// Between the first questions: who opens a list sees it at once, though a datagram be lost.
  private static let firstPauses: [Duration] = [.milliseconds(100), .milliseconds(200)]
  private static let pause: Duration = .seconds(1)
  /// Up to so much more or less, so that browsers that began together do not ask together.
  private static let jitter: Duration = .milliseconds(100)
  /// Who has not answered for that long is gone, if it was asked this often meanwhile: a browser that stood still has
  /// missed nobody.
  static let silence: Duration = .milliseconds(3500)
  private static let missedQuestions: UInt64 = 3

  private let application: String?
  private let only: PlayerID?
  private let mostQuestions: UInt64
  private var entropy: Entropy
  private var questions: [Question] = []
  private var lastQuestion: UInt64 = 0
  private var entries: [PlayerID: FoundEntry] = [:]
  private var departures: [Departure] = []
  // Everybody on the link can see a nonce: the limit is what wrong signatures may cost, 13 ms of each second.
  private var verifications = RateLimit(burst: 512, perSecond: 256)
  /// When to ask next.
  private var nextQuestion: Instant
  package private(set) var statistics = DiscoveryStatistics()

  /// Begins to ask at `now`.
  /// - Parameters:
  ///   - application: what is played; nil: whatever it is.
  ///   - only: the only key that is looked for; nil: any.
  ///   - questions: how many are asked; nil: no end of them.
  package init(
    application: String?, only: PlayerID? = nil, questions: UInt64? = nil, entropy: Entropy, now: Instant
  ) {
    mostQuestions = questions ?? .max
    self.application = application
    self.only = only
    self.entropy = entropy
    nextQuestion = now
  }

  /// Those that there are, in no order.
  package var servers: [FoundBeacon] { entries.map { $0.value.found($0.key) } }

  /// All questions were asked, and it was waited for the answers to the last.
  package private(set) var isDone = false

  /// When `ask` or `expire` has something to do.
  package var next: Instant { entries.values.reduce(nextQuestion) { min($0, expiry(of: $1)) } }

  /// The question, when it is time for one: to be sent to everybody on all links.
  package mutating func ask(now: Instant) -> [UInt8]? {
    guard nextQuestion <= now else { return nil }
    guard lastQuestion < mostQuestions else {
      nextQuestion = .distantFuture
      isDone = true
      return nil
    }
    questions.removeAll { now - $0.at > DiscoveryTimes.nonceLifetime }
    lastQuestion += 1
    statistics.sent += 1
    let nonce = UInt128(entropy.number()) << 64 | UInt128(entropy.number())
    questions.append(Question(nonce: nonce, number: lastQuestion, at: now))
    nextQuestion = now + pauseAfterQuestion()
    return SeekDatagram(nonce: nonce, application: application).encoded()
  }

  private mutating func pauseAfterQuestion() -> Duration {
    if lastQuestion <= Self.firstPauses.count { return Self.firstPauses[Int(lastQuestion) - 1] }
    let range = UInt64(Self.jitter.inNanoseconds) * 2
    return Self.pause - Self.jitter + .nanoseconds(Int64(entropy.number() % range))
  }

  /// Forgets those who are silent.
  /// - Returns: whether the list has changed.
  package mutating func expire(now: Instant) -> Bool {
    let count = entries.count
    entries = entries.filter { !isGone($0.value, now) }
    departures.removeAll { now - $0.at > DiscoveryTimes.nonceLifetime }
    return entries.count != count
  }

  private func isGone(_ entry: FoundEntry, _ now: Instant) -> Bool {
    now - entry.heard >= Self.silence && lastQuestion >= entry.question + Self.missedQuestions
  }

  /// Who was not asked often enough is looked at when the next question has left.
  private func expiry(of entry: FoundEntry) -> Instant {
    lastQuestion >= entry.question + Self.missedQuestions ? entry.heard + Self.silence : .distantFuture
  }

  // MARK: Answers

  /// Takes a datagram.
  /// - Returns: whether the list has changed.
  package mutating func receive(_ datagram: RawSpan, _ arrival: Arrival, links: LocalLinks, now: Instant) -> Bool {
    statistics.received += 1
    do throws(DiscoveryDrop) {
      return try take(datagram, arrival, links, now)
    } catch {
      statistics.drop(error)
      return false
    }
  }

  /// The checks in the order of PROTOCOL §15.3: the signature last, since it is what costs. What goes before it only
  /// ever leads to a drop.
  private mutating func take(
    _ datagram: RawSpan, _ arrival: Arrival, _ links: LocalLinks, _ now: Instant
  ) throws(DiscoveryDrop) -> Bool {
    guard let beacon = try? BeaconDatagram(datagram) else { throw .malformed }
    guard let question = questions.first(where: { $0.nonce == beacon.nonce }),
      now - question.at <= DiscoveryTimes.nonceLifetime
    else { throw .unasked }
    guard links.isNeighbour(arrival.source, on: arrival.interface) else { throw .notLocal }
    guard beacon.address.ip == arrival.source.ip else { throw .elsewhere }
    guard application == nil || application == beacon.application else { throw .otherApplication }
    let server = PlayerID(publicKey: Digest(beacon.publicKey))
    guard only == nil || only == server else { throw .otherServer }
    var address = arrival.source
    address.port = beacon.address.port
    if let entry = entries[server] { try check(beacon, question.number, against: entry, from: address) }
    let isDeparted = departures.contains { $0.server == server && $0.instance == beacon.instance }
    guard !isDeparted else { throw .stale }
    guard verifications.take(at: now) else { throw .limited }
    let signed = BeaconDatagram.signed(datagram)
    let signature = Signature(datagram, at: signed.upperBound)
    guard server.verify(signature, of: BeaconSignature.message(datagram.extracting(signed)).span.bytes) else {
      throw .forged
    }
    if beacon.isFarewell { return leave(server, beacon, now) }
    return try enter(server, beacon, question, address, now)
  }

  /// Whether it is news. Sequences rise by each way; two ways may answer one question in either order. Another instance
  /// must wait until the one that is known has left a question unanswered: only then has the server begun anew.
  private func check(
    _ beacon: BeaconDatagram, _ question: UInt64, against entry: FoundEntry, from address: NetworkAddress
  ) throws(DiscoveryDrop) {
    guard beacon.instance == entry.beacon.instance else {
      guard question >= entry.question + 2 else { throw .stale }
      return
    }
    if let way = entry.ways.first(where: { $0.address == address }) {
      guard beacon.sequence != way.sequence else { throw .repeated }
      guard beacon.sequence > way.sequence else { throw .stale }
    }
    guard beacon.sequence > entry.beacon.sequence || question >= entry.question else { throw .stale }
  }

  private mutating func enter(
    _ server: PlayerID, _ beacon: BeaconDatagram, _ question: Question, _ address: NetworkAddress, _ now: Instant
  ) throws(DiscoveryDrop) -> Bool {
    let roundTrip = now - question.at
    guard var entry = entries[server] else {
      guard entries.count < Self.mostServers else { throw .limited }
      entries[server] = FoundEntry(
        beacon, question: question.number, from: address, after: roundTrip, at: now)
      return true
    }
    let before = entry.found(server)
    entry.hear(beacon, question: question.number, from: address, after: roundTrip, at: now)
    entries[server] = entry
    return entry.found(server) != before
  }

  private mutating func leave(_ server: PlayerID, _ beacon: BeaconDatagram, _ now: Instant) -> Bool {
    if departures.count >= Self.mostDepartures { departures.removeFirst() }
    departures.append(Departure(server: server, instance: beacon.instance, at: now))
    guard entries[server]?.beacon.instance == beacon.instance else { return false }
    entries[server] = nil
    return true
  }
}
