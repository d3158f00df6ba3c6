package import RoamkeyCrypto
package import RoamkeyWire

/// What a server says of itself to those who ask.
package struct ServerAnnouncement: Sendable {
  /// Name and version of what is played: 1 to 255 bytes.
  package var application: String
  /// For people: at most 64 bytes.
  package var name: String?
  /// Where it listens, with the port that the system chose.
  package var address: NetworkAddress

  package init(application: String, name: String?, address: NetworkAddress) {
    self.application = application
    self.name = name
    self.address = address
  }

  /// Where who asks from there reaches it: on every link where it listens on all addresses, else where it has the one.
  fileprivate func address(for arrival: Arrival, _ links: LocalLinks) -> NetworkAddress? {
    // `::` takes both families, `0.0.0.0` the one.
    guard address.ip == 0 || address.isIPv4 == arrival.source.isIPv4 else { return nil }
    if address.isUnspecified { return links.address(facing: arrival.source, on: arrival.interface) }
    // Two links may have the same link-local address.
    guard address.scope == 0 || address.scope == arrival.interface else { return nil }
    let isThere = links.entries.contains { $0.interface == arrival.interface && $0.address.ip == address.ip }
    return isThere ? address : nil
  }
}

/// How many players a server has, and may have.
package struct ServerPopulation: Hashable, Sendable {
  package var players: Int
  package var capacity: Int

  package init(players: Int, capacity: Int) {
    self.players = players
    self.capacity = capacity
  }
}

/// Answers questions of the local network with signed beacons (PROTOCOL §15.2), sans-IO.
///
/// Nothing leaves unasked, nothing for a stranger, and no answer is longer than its question; a farewell is a second
/// answer to it. (Of several servers on a link each answers: docs/decisions/0028-discovery.md.) A beacon is signed once
/// for a nonce and an address of ours, and repeated to others who ask with it: a browser with several of its own.
package final class BeaconResponder {
  /// A datagram to be sent.
  package struct Answer: Sendable {
    package var bytes: [UInt8]
    package var to: NetworkAddress
    /// The address that it is to leave from.
    package var source: NetworkAddress
    package var interface: UInt32
  }

  /// Somebody who was answered lately, and would like to hear of the end.
  private struct Asker {
    var arrival: Arrival
    var question: Question
    var at: Instant
  }

  /// What a beacon answers, and from where.
  private struct Question: Hashable {
    var nonce: UInt128
    var address: NetworkAddress
  }

  private struct Signed {
    var question: Question
    var bytes: [UInt8]
    var at: Instant
  }

  /// Askers that are remembered, against repetitions and for the farewell: a full LAN party.
  static let mostAskers = 64
  /// Beacons that are remembered, to be repeated; half a KiB each.
  static let mostSigned = 8
  /// How long one is repeated: how many players there are is news.
  private static let freshness: Duration = .milliseconds(500)

  private let key: PlayerKey
  private let announcement: ServerAnnouncement
  private let instance: UInt64
  private var sequence: UInt64 = 0
  private var askers: [Asker] = []
  private var signed: [Signed] = []
  // A browser asks once a second, and three times at first: sixteen of them on one machine.
  private var perSource = SourceLimits(RateLimit(burst: 48, perSecond: 16))
  // 128 signatures cost some 3 ms of each second.
  private var overall = RateLimit(burst: 128, perSecond: 128)
  package private(set) var statistics = DiscoveryStatistics()

  /// - Parameters:
  ///   - key: the server's.
  ///   - instance: random, another one each time.
  package init(key: consuming PlayerKey, _ announcement: ServerAnnouncement, instance: UInt64) {
    self.key = key
    self.announcement = announcement
    self.instance = instance
  }

  /// Takes a datagram.
  /// - Parameter population: asked when an answer is made.
  /// - Returns: the answer, if there is to be one.
  package func receive(
    _ datagram: RawSpan, _ arrival: Arrival, links: LocalLinks, now: Instant,
    population: () -> ServerPopulation
  ) -> Answer? {
    statistics.received += 1
    do throws(DiscoveryDrop) {
      let question = try check(datagram, arrival, links, now)
      let bytes = beacon(answering: question, now, population)
      let asker = Asker(arrival: arrival, question: question, at: now)
      remember(asker)
      return answer(bytes, asker)
    } catch {
      statistics.drop(error)
      return nil
    }
  }

  /// Tells those who asked lately that the server stops; the last thing that it does.
  package func farewells(now: Instant) -> [Answer] {
    askers.removeAll { now - $0.at > DiscoveryTimes.nonceLifetime }
    var signed: [Question: [UInt8]] = [:]
    defer { askers = [] }
    return askers.map { asker in
      let bytes = signed[asker.question] ?? sign(asker.question, .init(players: 0, capacity: 0), isFarewell: true)
      signed[asker.question] = bytes
      return answer(bytes, asker)
    }
  }

  /// The checks in the order of PROTOCOL §15.2, the dear ones last.
  private func check(
    _ datagram: RawSpan, _ arrival: Arrival, _ links: LocalLinks, _ now: Instant
  ) throws(DiscoveryDrop) -> Question {
    guard let seek = try? SeekDatagram(datagram) else { throw .malformed }
    guard arrival.source.port != 0, links.isForEverybody(arrival.destination, on: arrival.interface),
      links.isNeighbour(arrival.source, on: arrival.interface)
    else { throw .notLocal }
    guard var address = announcement.address(for: arrival, links) else { throw .otherAddress }
    (address.port, address.scope) = (announcement.address.port, 0)
    guard seek.application == nil || seek.application == announcement.application else { throw .otherApplication }
    askers.removeAll { now - $0.at > DiscoveryTimes.nonceLifetime }
    guard !askers.contains(where: { $0.question.nonce == seek.nonce && $0.arrival.source == arrival.source }) else {
      throw .repeated
    }
    guard perSource.take(arrival.source.ip, at: now), overall.take(at: now) else { throw .limited }
    return Question(nonce: seek.nonce, address: address)
  }

  private func remember(_ asker: Asker) {
    // Its newest question is the one that it will still know when the server stops.
    askers.removeAll { $0.arrival.source == asker.arrival.source && $0.at < asker.at - Self.freshness }
    if askers.count >= Self.mostAskers { askers.removeFirst() }
    askers.append(asker)
  }

  private func answer(_ bytes: [UInt8], _ asker: Asker) -> Answer {
    statistics.sent += 1
    return Answer(
      bytes: bytes, to: asker.arrival.source, source: asker.question.address, interface: asker.arrival.interface)
  }

  // MARK: Beacons

  private func beacon(answering question: Question, _ now: Instant, _ population: () -> ServerPopulation) -> [UInt8] {
    signed.removeAll { now - $0.at > Self.freshness }
    if let earlier = signed.first(where: { $0.question == question }) { return earlier.bytes }
    let bytes = sign(question, population(), isFarewell: false)
    if signed.count >= Self.mostSigned { signed.removeFirst() }
    signed.append(Signed(question: question, bytes: bytes, at: now))
    return bytes
  }

  private func sign(_ question: Question, _ population: ServerPopulation, isFarewell: Bool) -> [UInt8] {
    sequence += 1
    var beacon = BeaconDatagram(
      nonce: question.nonce, publicKey: key.id.publicKey.bytes, instance: instance, sequence: sequence,
      address: question.address, players: UInt32(clamping: population.players),
      capacity: UInt32(clamping: population.capacity), application: announcement.application,
      name: announcement.name)
    beacon.isFarewell = isFarewell
    let bytes = beacon.encoded()
    return bytes + key.sign(BeaconSignature.message(bytes.span.bytes).span.bytes).bytes
  }
}

/// What a beacon's signature is made over.
enum BeaconSignature {
  /// The label keeps it apart from all else that the key signs.
  static func message(_ signed: RawSpan) -> [UInt8] {
    domainLabel("roamkey/1 beacon") + signed.array(0..<signed.byteCount)
  }
}
