import DequeModule
import RoamkeyCrypto

/// A packet of ours of which the peer has not yet said what became of it, or was deemed lost a short while ago.
struct SentPacket: Sendable {
  enum State {
    /// Neither acknowledged nor lost.
    case outstanding
    /// Acknowledged; keeps its place until the older ones are settled.
    case acknowledged
    /// Deemed lost; its frames were handed back.
    case lost
    /// Handed back without a verdict: the path it took is no longer used.
    case abandoned
    /// A number that was left out on purpose: whoever acknowledges it lies.
    case skipped
  }

  let number: UInt64
  let sentAt: Instant
  var settledAt = Instant(nanoseconds: 0)
  /// Position of the first frame, counted from the start of the ring's life.
  var frameStart: UInt64 = 0
  var frameCount = 0
  let size: Int
  let isAckEliciting: Bool
  /// Nothing in it is ever sent again: the peer may take its time to acknowledge it.
  var isPatient = false
  let isInFlight: Bool
  /// Larger than what the path is known to carry: it was sent to find out, and its loss is an answer.
  var isMTUProbe = false
  var state: State
}

/// Packets in the order of their numbers, and their frames in one ring beside: no allocation a packet.
struct SentPacketRing<Frame> {
  var packets = Deque<SentPacket>()
  private(set) var frames = Deque<Frame>()
  private var framesRemoved: UInt64 = 0

  mutating func prefetch() {
    prefetchStorage(of: &packets, bytes: 256)
    prefetchStorage(of: &frames, bytes: 192)
  }

  /// Where the next frame will stand.
  var frameEnd: UInt64 { framesRemoved + UInt64(frames.count) }

  /// Index of the first packet whose number is not below.
  func index(notBelow number: UInt64) -> Int {
    var low = 0
    var high = packets.count
    while low < high {
      let middle = low + (high - low) / 2
      if packets[middle].number < number { low = middle + 1 } else { high = middle }
    }
    return low
  }

  mutating func append(_ frame: Frame) { frames.append(frame) }

  mutating func dropFrames(from start: UInt64) { frames.removeLast(Int(frameEnd - start)) }

  func copyFrames(of packet: SentPacket, into target: inout [Frame]) {
    let start = Int(packet.frameStart - framesRemoved)
    for i in start..<(start + packet.frameCount) { target.append(frames[i]) }
  }

  @discardableResult
  mutating func removeFirst() -> SentPacket {
    let packet = packets.removeFirst()
    frames.removeFirst(packet.frameCount)
    framesRemoved += UInt64(packet.frameCount)
    return packet
  }

  /// Takes over the first packet of another ring, in a new state, with copies of its frames for `target`.
  mutating func moveFirst(
    of other: inout SentPacketRing, as state: SentPacket.State, now: Instant, into target: inout [Frame]
  ) {
    var packet = other.packets[0]
    let source = Int(packet.frameStart - other.framesRemoved)
    packet.frameStart = frameEnd
    packet.state = state
    packet.settledAt = now
    for i in source..<(source + packet.frameCount) {
      frames.append(other.frames[i])
      target.append(other.frames[i])
    }
    packets.append(packet)
    other.removeFirst()
  }
}

/// An ACK frame between `beginAck` and `endAck`.
struct AckInProgress {
  var now = Instant(nanoseconds: 0)
  var recoveryStart: Instant?
  var largest: UInt64?
  var lowest: UInt64?
  var newestProbe: UInt64?
  var outcome = AckOutcome()
}

/// What was sent and not yet acknowledged, in the one packet-number space of a session (RFC 9002 Appendix A).
///
/// `Frame` describes what must be sent again should a packet be lost; this type never looks into it. Results are
/// appended to arrays of the caller, who empties and reuses them: no closures, and no allocation in the steady state.
///
/// What acknowledgements and losses do to it is in `LossDetector.swift`, what is overdue in
/// `SentPackets+Suspects.swift`.
package struct SentPackets<Frame> {
  /// Packets whose fate is open, at most; about 64 bytes each. The sender waits for `hasRoom`.
  package static var maximumOutstanding: Int { 4096 }
  /// Frames of such packets, at most, for sessions that send many tiny messages.
  package static var maximumFrames: Int { 16_384 }
  /// Packets not in flight (bare acknowledgements) remembered at most: a peer that only talks need never settle them.
  static var maximumIdle: Int { 256 }
  /// Lost packets remembered at most, to recognise late acknowledgements.
  static var maximumLost: Int { 256 }
  static var maximumLostFrames: Int { 2048 }

  var outstanding = SentPacketRing<Frame>()
  var lost = SentPacketRing<Frame>()
  var ack = AckInProgress()
  /// When the path's first RTT sample was taken: earlier packets prove no persistent congestion (RFC 9002 §7.6.2).
  var firstSampleAt: Instant?
  var ackElicitingInFlight = 0
  /// Those of them that are not patient.
  var promptInFlight = 0
  private var pending: (number: UInt64, frameStart: UInt64)?
  /// The oldest outstanding ack-eliciting packet that was not suspected yet; all before it were, or are settled.
  var nextSuspect: Suspect?

  /// The number that the next packet will get; all below were given out.
  package private(set) var nextPacketNumber: UInt64 = 0
  /// The highest number that was left out. It is remembered for ever: the record of it goes with those around it.
  private(set) var newestTrap: UInt64?
  /// Whether it is the highest number that was given out.
  var isTrapNewest: Bool { newestTrap.map { $0 + 1 == nextPacketNumber } ?? false }
  /// The highest number the peer acknowledged.
  package internal(set) var largestAcknowledged: UInt64?
  /// Bytes of packets that count against the congestion window and whose fate is open.
  package internal(set) var bytesInFlight = 0
  /// When `detectLosses` must be called for packets that were overtaken but are not yet old enough (RFC 9002 §6.1.2).
  package internal(set) var lossTime: Instant?
  /// When the last ack-eliciting packet left on this path: the start of the probe timer (RFC 9002 §6.2.1).
  package internal(set) var lastAckElicitingSent: Instant?
  /// Packets acknowledged after they had been deemed lost, ever.
  package internal(set) var spuriousLosses = 0

  /// Nothing sent yet.
  package init() {}

  /// Whether the peer owes an acknowledgement, so that the probe timer runs.
  package var hasAckElicitingInFlight: Bool { ackElicitingInFlight > 0 }

  /// Whether all that awaits an acknowledgement is patient.
  package var isAnswerPatient: Bool { promptInFlight == 0 }

  /// Whether one more packet with data may be remembered. When not, only probes and acknowledgements leave.
  @inline(__always)
  package var hasRoom: Bool {
    outstanding.packets.count < Self.maximumOutstanding && outstanding.frames.count < Self.maximumFrames
  }

  /// Packets remembered, settled ones included, for statistics and tests of the bounds.
  package var trackedPackets: Int { outstanding.packets.count + lost.packets.count }

  /// The record of a packet is open.
  var isWriting: Bool { pending != nil }

  /// Gives out a packet number: from 0, each once, even if sending then fails (PROTOCOL §3).
  package mutating func takePacketNumber() -> UInt64 {
    precondition(nextPacketNumber <= PacketNumber.maximum, "the session must end before its packet numbers do")
    defer { nextPacketNumber += 1 }
    return nextPacketNumber
  }

  /// Leaves a number out. An acknowledgement of it betrays a peer that acknowledges unseen packets (RFC 9000 §21.4).
  package mutating func skipPacketNumber(now: Instant) {
    precondition(pending == nil, "a packet is being written")
    let number = takePacketNumber()
    newestTrap = number
    outstanding.packets.append(
      SentPacket(
        number: number, sentAt: now, frameStart: outstanding.frameEnd, size: 0, isAckEliciting: false,
        isInFlight: false, state: .skipped))
    trimIdle()
  }

  /// Opens the record of a packet whose number was just taken; `append` its frames, then `commit` or `discard`.
  package mutating func begin(packetNumber: UInt64) {
    precondition(pending == nil, "one packet is recorded after the other")
    precondition(packetNumber < nextPacketNumber, "numbers are given out by takePacketNumber")
    if let last = outstanding.packets.last { precondition(last.number < packetNumber, "records are in order") }
    pending = (packetNumber, outstanding.frameEnd)
  }

  /// Adds the description of a frame to the packet begun.
  package mutating func append(_ frame: Frame) { outstanding.append(frame) }

  /// Closes the record: the packet leaves now.
  ///
  /// - Parameters:
  ///   - size: bytes of the datagram.
  ///   - ackEliciting: it holds a frame that must be acknowledged.
  ///   - isPatient: nothing in it is ever sent again, so the peer may take its time (PROTOCOL §10.1).
  ///   - inFlight: it counts against the congestion window (RFC 9002 §2: ack-eliciting, or padded).
  ///   - isMTUProbe: it is larger than what the path is known to carry. Its loss is reported, and is no congestion.
  package mutating func commit(
    size: Int, ackEliciting: Bool, isPatient: Bool = false, inFlight: Bool, isMTUProbe: Bool = false, now: Instant
  ) {
    guard let (number, frameStart) = pending else { preconditionFailure("commit follows begin") }
    precondition(inFlight || !ackEliciting, "what is ack-eliciting is in flight (RFC 9002 §2)")
    precondition(ackEliciting || !isMTUProbe, "a probe that nobody acknowledges tells nothing (RFC 9000 §14.4)")
    pending = nil
    if !inFlight, !hasRoom {
      // Nothing depends on it: its acknowledgement, should one come, says nothing new.
      outstanding.dropFrames(from: frameStart)
      return
    }
    outstanding.packets.append(
      SentPacket(
        number: number, sentAt: now, frameStart: frameStart, frameCount: Int(outstanding.frameEnd - frameStart),
        size: size, isAckEliciting: ackEliciting, isPatient: isPatient, isInFlight: inFlight,
        isMTUProbe: isMTUProbe, state: .outstanding))
    if inFlight { bytesInFlight += size }
    if ackEliciting {
      ackElicitingInFlight += 1
      lastAckElicitingSent = now
      if !isPatient {
        promptInFlight += 1
        nextSuspect = nextSuspect ?? Suspect(number: number, sentAt: now)
      }
    }
    trimIdle()
  }

  /// Drops the record begun: nothing was sent. The number stays used.
  package mutating func discard() {
    guard let (_, frameStart) = pending else { return }
    pending = nil
    outstanding.dropFrames(from: frameStart)
  }

  /// `begin`, `append` and `commit` in one.
  package mutating func record(
    packetNumber: UInt64, size: Int, ackEliciting: Bool, isPatient: Bool = false, inFlight: Bool,
    isMTUProbe: Bool = false, now: Instant, frames: some Sequence<Frame>
  ) {
    begin(packetNumber: packetNumber)
    for frame in frames { append(frame) }
    commit(
      size: size, ackEliciting: ackEliciting, isPatient: isPatient, inFlight: inFlight, isMTUProbe: isMTUProbe,
      now: now)
  }

  /// For a probe (RFC 9002 §6.2.4): copies the frames of the oldest unacknowledged ack-eliciting packet above
  /// `packetNumber` (of the oldest at all when nil) and returns its number. It stays in flight: a late
  /// acknowledgement counts.
  package func oldestUnacknowledged(after packetNumber: UInt64? = nil, into frames: inout [Frame]) -> UInt64? {
    var i = packetNumber.map { outstanding.index(notBelow: $0 + 1) } ?? 0
    while i < outstanding.packets.count {
      let packet = outstanding.packets[i]
      if packet.state == .outstanding, packet.isAckEliciting {
        outstanding.copyFrames(of: packet, into: &frames)
        return packet.number
      }
      i += 1
    }
    return nil
  }

  /// Takes a packet out of the counts of what is in flight.
  mutating func settle(_ packet: SentPacket) {
    if packet.isInFlight { bytesInFlight -= packet.size }
    if packet.isAckEliciting { ackElicitingInFlight -= 1 }
    if packet.isAckEliciting, !packet.isPatient { promptInFlight -= 1 }
  }

  /// Forgets old packets that are not in flight, as far as no packet in flight is older.
  private mutating func trimIdle() {
    while outstanding.packets.count > Self.maximumIdle, let first = outstanding.packets.first, !first.isInFlight {
      outstanding.removeFirst()
    }
  }
}

extension SentPackets: Sendable where Frame: Sendable {}
extension SentPacketRing: Sendable where Frame: Sendable {}
