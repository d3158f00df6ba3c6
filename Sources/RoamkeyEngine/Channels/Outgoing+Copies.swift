import DequeModule
import RoamkeyWire

/// Small reliable messages of which a copy may be sent before anybody knows whether they are lost.
///
/// Entries are not removed when their message is acknowledged or lost: its flags say whether they still count.
struct CopyCandidates: Sendable {
  struct Candidate: Sendable {
    let stream: Int
    let sequence: UInt64
    var sentAt = Instant(nanoseconds: 0)
  }

  /// First sent in this turn, and before: a copy in the same flush would be lost with the original.
  var fresh = Deque<Candidate>()
  var ripe = Deque<Candidate>()
  /// Those whose acknowledgement is overdue.
  var urgent = Deque<Candidate>()
  /// How many of them still count.
  var count = 0
  var urgentCount = 0
  /// Messages of which a copy was acknowledged, and nothing is known of the original.
  private var rescued = Deque<(stream: Int, sequence: UInt64)>()

  /// Longer messages are not copied: it would cost too much for what it saves.
  static let sizeLimit = 256
  /// How many candidates are remembered of each kind; the newest matter most.
  static let limit = 256
  private static let rescuedLimit = 64

  mutating func addRescued(_ stream: Int, _ sequence: UInt64) {
    if rescued.count == Self.rescuedLimit { rescued.removeFirst() }
    rescued.append((stream, sequence))
  }

  /// Forgets it, and says whether it was there.
  mutating func takeRescued(_ stream: Int, _ sequence: UInt64) -> Bool {
    guard !rescued.isEmpty, let place = rescued.firstIndex(where: { $0 == (stream, sequence) }) else { return false }
    rescued.remove(at: place)
    return true
  }
}

extension Outgoing {
  /// Writes copies of small messages: overdue ones first, then those first sent before `now`, the newest first.
  /// - Returns: bytes written: no more than `budget`, and than fit.
  mutating func fillCopies(
    _ output: inout OutputRawSpan, _ room: Room, budget: Int, frames: inout [SentFrame]
  ) -> Int {
    expire(now: room.now)
    let start = output.byteCount
    let end = min(room.end, start + max(0, budget))
    while let first = copies.urgent.first {
      if let place = copyable(first, .urgent) {
        guard writeCopy(first, place, &output, end: end, frames: &frames) else { break }
        streams[first.stream].sent[place].flags.remove(.urgent)
        copies.urgentCount -= 1
      }
      copies.urgent.removeFirst()
    }
    while let first = copies.fresh.first, first.sentAt < room.now {
      copies.ripe.append(first)
      copies.fresh.removeFirst()
    }
    while let last = copies.ripe.last {
      if let place = copyable(last, .candidate) {
        guard writeCopy(last, place, &output, end: end, frames: &frames) else { break }
        streams[last.stream].sent[place].flags.remove(.candidate)
        copies.count -= 1
      }
      copies.ripe.removeLast()
    }
    return output.byteCount - start
  }

  /// The acknowledgement of a packet is overdue: a copy of its message should leave soon.
  mutating func suspect(_ part: MessagePart) {
    guard part.stream.delivery.isReliable, let stream = find(part.stream),
      let place = streams[stream].place(of: part.sequence), streams[stream].sent[place].total == part.range.count,
      part.range.count <= CopyCandidates.sizeLimit,
      streams[stream].sent[place].flags.isDisjoint(with: [.skipped, .lost, .inPieces, .urgent])
    else { return }
    while copies.urgent.count >= CopyCandidates.limit {
      let oldest = copies.urgent.removeFirst()
      if let place = copyable(oldest, .urgent) { removeFromCopies(oldest.stream, place) }
    }
    removeFromCopies(stream, place)
    streams[stream].sent[place].flags.insert(.urgent)
    copies.urgentCount += 1
    copies.urgent.append(CopyCandidates.Candidate(stream: stream, sequence: part.sequence))
  }

  mutating func addCandidate(_ stream: Int, _ sequence: UInt64, now: Instant) {
    // Nothing in it counts: this is where it is emptied in the steady state.
    if copies.count == 0 {
      copies.fresh.removeAll(keepingCapacity: true)
      copies.ripe.removeAll(keepingCapacity: true)
    }
    while copies.fresh.count + copies.ripe.count >= CopyCandidates.limit {
      let oldest = copies.ripe.popFirst() ?? copies.fresh.removeFirst()
      guard let place = copyable(oldest, .candidate) else { continue }
      streams[oldest.stream].sent[place].flags.remove(.candidate)
      copies.count -= 1
    }
    copies.count += 1
    copies.fresh.append(CopyCandidates.Candidate(stream: stream, sequence: sequence, sentAt: now))
  }

  /// No copy of it is to be sent any more.
  mutating func removeFromCopies(_ stream: Int, _ place: Int) {
    let flags = streams[stream].sent[place].flags
    if flags.contains(.candidate) { copies.count -= 1 }
    if flags.contains(.urgent) { copies.urgentCount -= 1 }
    streams[stream].sent[place].flags.subtract([.candidate, .urgent])
  }

  /// Where a candidate stands, if it still counts.
  private func copyable(_ candidate: CopyCandidates.Candidate, _ kind: SentMessage.Flags) -> Int? {
    guard let place = streams[candidate.stream].place(of: candidate.sequence),
      streams[candidate.stream].sent[place].flags.contains(kind)
    else { return nil }
    return place
  }

  private mutating func writeCopy(
    _ candidate: CopyCandidates.Candidate, _ place: Int, _ output: inout OutputRawSpan, end: Int,
    frames: inout [SentFrame]
  ) -> Bool {
    let id = streams[candidate.stream].id
    let total = streams[candidate.stream].sent[place].total
    let size = MessageFrame.headerSize(id, sequence: candidate.sequence, count: total) + total
    guard size <= end - output.byteCount else { return false }
    output.appendMessage(
      id, sequence: candidate.sequence, content: streams[candidate.stream].contents[place], range: 0..<total)
    frames.append(.message(MessagePart(stream: id, sequence: candidate.sequence, 0..<total, of: total, isCopy: true)))
    counters.copiesSent += 1
    return true
  }
}
