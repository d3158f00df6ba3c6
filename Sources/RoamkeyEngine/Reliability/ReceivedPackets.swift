import RoamkeyCrypto

/// Which packets arrived and when to say so: the state behind ACK frames (RFC 9000 §13.2).
///
/// Keeps at most 32 ranges of packet numbers and forgets the oldest: a hostile pattern costs nothing more, and what is
/// forgotten is at worst sent again. Most sessions never have more than two, so there is no room for all in place: it
/// grows on demand, and stays.
///
/// Under loss acknowledgements are prompt, and said twice. A game at 30 Hz over a path that loses one packet in twenty
/// must know within a round trip what arrived: until then it protects what it sent with copies, and keeps a player
/// waiting for what it has not copied. An answer that waits 25 ms for company makes each round trip longer by that. One
/// that is lost is missed for a whole tick: nothing follows it that would say the same, where dense traffic would have
/// said it again within a millisecond. So a receiver that has seen losses among sparse packets answers each at once,
/// and repeats an answer that left alone a few milliseconds later, once, unless another packet has carried it by then.
/// It needs nothing of the sender for that, and costs at most two small packets for each that came.
package struct ReceivedPackets: Sendable {
  /// Ranges remembered; each costs 16 bytes here and 2 to 16 in an ACK frame.
  package static let maximumRanges = 32
  /// Packets that ask for no acknowledgement after which one is offered all the same, so that the peer's own
  /// bookkeeping of what it acknowledged can shrink (RFC 9000 §13.2.4).
  private static let quietPacketsPerAck = 16

  private struct Bounds {
    var lower: UInt64
    var upper: UInt64
  }

  /// So many packets whose acknowledgement may wait longer are acknowledged at once: enough for three of a server's in
  /// each of a client's, and few for one that sends as much as it may.
  package static let patientThreshold = 10

  private let maximumAckDelay: Duration
  private let patientAckDelay: Duration
  private let ackElicitingThreshold: Int
  /// Newest first, disjoint, never adjacent.
  private var ranges: [Bounds] = []
  /// When the first acknowledgement of something is due: its arrival when it must not wait.
  private var dueAt: Instant?
  /// When the last acknowledgement is said again, since it left alone and may have been lost.
  private var repeatAt: Instant?
  private var arrivals = ArrivalPattern()
  private var largestArrival = Instant(nanoseconds: 0)
  private var largestAckEliciting: UInt64?
  private var forgottenThrough: UInt64?
  private var lowestUnreported: UInt64?
  private var unreportedAckEliciting = 0
  /// Those of them that are not patient.
  private var unreportedPrompt = 0
  private var unreportedQuiet = 0

  /// - Parameters:
  ///   - maximumAckDelay: how long an acknowledgement may wait for company.
  ///   - patientAckDelay: the same of patient packets; nil: as long.
  ///   - ackElicitingThreshold: so many ack-eliciting packets are acknowledged at once; RFC 9000 §13.2.2 has 2.
  package init(maximumAckDelay: Duration, patientAckDelay: Duration? = nil, ackElicitingThreshold: Int) {
    precondition(ackElicitingThreshold > 0, "an acknowledgement needs at least one packet")
    self.maximumAckDelay = maximumAckDelay
    self.patientAckDelay = max(patientAckDelay ?? maximumAckDelay, maximumAckDelay)
    self.ackElicitingThreshold = ackElicitingThreshold
  }

  /// Number of ranges that an ACK frame would carry now.
  package var rangeCount: Int { ranges.count }

  /// When an acknowledgement is due, alone if need be.
  package var ackTimer: Instant? {
    guard let repeatAt else { return dueAt }
    return min(dueAt ?? repeatAt, repeatAt)
  }

  /// Whether an ACK could ride in a packet that leaves anyway.
  package var hasUnreported: Bool {
    unreportedAckEliciting > 0 || unreportedQuiet >= Self.quietPacketsPerAck || repeatAt != nil
  }

  /// Whether an ACK must leave now, alone if need be.
  package func isAckDue(now: Instant) -> Bool {
    guard let ackTimer else { return false }
    return ackTimer <= now
  }

  /// Range `i` of the ACK frame; 0 is the newest, `rangeCount - 1` the oldest.
  package func range(_ i: Int) -> ClosedRange<UInt64> {
    precondition(i < rangeCount, "there are only rangeCount ranges")
    return ranges[i].lower...ranges[i].upper
  }

  /// The highest packet number received.
  package var largest: UInt64? { rangeCount == 0 ? nil : ranges[0].upper }

  /// Time since the packet with the highest number arrived: the ACK Delay field (RFC 9000 §13.2.5).
  package func ackDelay(now: Instant) -> Duration { max(now - largestArrival, .zero) }

  /// Notes a committed packet and decides when it is acknowledged: at once when it is out of order, opens a gap
  /// (RFC 9000 §13.2.1), is the `ackElicitingThreshold`th, or one of few while some are lost; else within
  /// `maximumAckDelay`.
  ///
  /// `isPatient`: nothing in it is ever sent again, so its sender has no use for an early answer. It may wait for
  /// `patientAckDelay` and until it is one of `patientThreshold`, however lossy the path.
  package mutating func record(_ packetNumber: UInt64, ackEliciting: Bool, isPatient: Bool = false, now: Instant) {
    if largest.map({ packetNumber > $0 }) ?? true { largestArrival = now }
    guard let lower = insert(packetNumber) else { return }
    lowestUnreported = min(lowestUnreported ?? packetNumber, packetNumber)
    arrivals.record(packetNumber, ackEliciting: ackEliciting, now: now)
    guard ackEliciting else {
      unreportedQuiet += 1
      return
    }
    unreportedAckEliciting += 1
    if !isPatient { unreportedPrompt += 1 }
    let mayWait =
      isInOrder(packetNumber, lower: lower) && unreportedPrompt < ackElicitingThreshold
      && unreportedAckEliciting < max(Self.patientThreshold, ackElicitingThreshold)
      && (isPatient || !arrivals.asksForPromptness(now: now))
    let due = mayWait ? now + (isPatient ? patientAckDelay : maximumAckDelay) : now
    dueAt = min(dueAt ?? due, due)
    largestAckEliciting = max(largestAckEliciting ?? packetNumber, packetNumber)
  }

  /// An ACK frame with all ranges left: timers and counters start anew.
  ///
  /// `isAlone`: nothing ack-eliciting was in its packet, so nobody would notice its loss. Then it is said again, unless
  /// it said nothing new to begin with: so never more than once.
  package mutating func ackSent(isAlone: Bool, now: Instant) {
    let isRepeated = isAlone && unreportedPrompt > 0 && arrivals.asksForPromptness(now: now)
    repeatAt = isRepeated ? now + ArrivalPattern.repetitionDelay : nil
    dueAt = nil
    lowestUnreported = nil
    unreportedAckEliciting = 0
    unreportedPrompt = 0
    unreportedQuiet = 0
  }

  /// Our ACK frame up to `packetNumber` was acknowledged: what it said needs no repeating (RFC 9000 §13.2.4).
  ///
  /// Late arrivals that no ACK has reported yet stay, and the highest number always does (RFC 9000 §13.2.3).
  package mutating func forget(through packetNumber: UInt64) {
    guard let largest else { return }
    let limit = min(largest, lowestUnreported ?? largest)
    guard limit > 0 else { return }
    let end = min(packetNumber, limit - 1)
    forgottenThrough = max(forgottenThrough ?? end, end)
    while let oldest = ranges.last, oldest.upper <= end { ranges.removeLast() }
    if let oldest = ranges.last, oldest.lower <= end { ranges[ranges.count - 1].lower = end + 1 }
  }

  /// RFC 9000 §13.2.1: above all ack-eliciting ones so far, and nothing missing since the highest of them.
  ///
  /// `lower` is where the range that now holds the packet begins.
  private func isInOrder(_ packetNumber: UInt64, lower: UInt64) -> Bool {
    guard let largestAckEliciting else { return lower == 0 }
    guard packetNumber > largestAckEliciting else { return false }
    return lower <= max(largestAckEliciting, forgottenThrough ?? 0) + 1
  }

  /// Adds a number; returns where its range begins, or nil when it is known already or too old for a place.
  private mutating func insert(_ packetNumber: UInt64) -> UInt64? {
    guard packetNumber <= PacketNumber.maximum else { return nil }
    // The newest range is nearly always the one: a loop from there ends at once.
    var i = 0
    while i < rangeCount, ranges[i].lower > packetNumber + 1 { i += 1 }
    if i < rangeCount, ranges[i].lower == packetNumber + 1 { return extendDown(i, to: packetNumber) }
    if i < rangeCount, ranges[i].upper >= packetNumber { return nil }
    if i < rangeCount, ranges[i].upper + 1 == packetNumber {
      ranges[i].upper = packetNumber
      return ranges[i].lower
    }
    guard i < Self.maximumRanges else { return nil }
    if rangeCount == Self.maximumRanges { ranges.removeLast() }
    ranges.insert(Bounds(lower: packetNumber, upper: packetNumber), at: i)
    return packetNumber
  }

  /// Lowers range `i` by one number and joins it with the next older one when they now touch.
  private mutating func extendDown(_ i: Int, to packetNumber: UInt64) -> UInt64 {
    ranges[i].lower = packetNumber
    guard i + 1 < rangeCount, ranges[i + 1].upper + 1 == packetNumber else { return packetNumber }
    ranges[i].lower = ranges[i + 1].lower
    ranges.remove(at: i + 1)
    return ranges[i].lower
  }
}

extension ReceivedPackets {
  mutating func prefetch() { prefetchStorage(of: &ranges, bytes: 64) }
}
