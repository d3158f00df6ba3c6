import HeapModule
import RoamkeyWire

/// When a message expires. Entries are not removed when their message goes: one that finds nothing any more is dropped.
struct Expiry: Comparable, Sendable {
  enum Kind: Sendable {
    /// A message that waits in a lane, by its number there.
    case waiting
    /// A reliable message of which something was sent, by its stream and sequence.
    case sent
  }

  let at: Instant
  /// Of the lane, or of the stream.
  let place: UInt16
  let number: UInt64
  let kind: Kind

  init(at: Instant, place: UInt16, number: UInt64, kind: Kind) {
    self.at = at
    self.place = place
    self.number = number
    self.kind = kind
  }

  static func < (a: Expiry, b: Expiry) -> Bool { a.at < b.at }
}

extension Outgoing {
  /// When a message expires, or a receipt is waited for no longer.
  @inline(__always)
  var nextTimeout: Instant? {
    guard let deadline = receiptDeadlines.first?.at else { return expiries.min?.at }
    return expiries.min.map { min($0.at, deadline) } ?? deadline
  }

  mutating func handleTimeout(now: Instant) {
    expire(now: now)
    stopWaitingForReceipts(now: now)
  }

  /// Takes back what has expired, so that no byte of it leaves any more.
  mutating func expire(now: Instant) {
    while let first = expiries.min, first.at <= now {
      expiries.removeMin()
      switch first.kind {
      case .waiting:
        let lane = Int(first.place)
        guard let place = lanes[lane].place(ofNumber: first.number) else { continue }
        let hasBegun = lanes[lane].waiting[place].state == .begun
        // One that has begun and is reliable has an entry as a sent one.
        if hasBegun, streams[lanes[lane].stream].id.delivery.isReliable { continue }
        counters.expiredMessages += 1
        takeBack(lane, at: place, as: .expired)
      case .sent:
        let stream = Int(first.place)
        guard let place = streams[stream].place(of: first.number),
          !streams[stream].sent[place].flags.contains(.skipped)
        else { continue }
        giveUp(stream, place)
      }
    }
  }

  /// A message that might have expired is gone. Once most entries find nothing any more they are dropped, so that
  /// messages that live for hours, and are delivered at once, do not pile up.
  mutating func removedExpiry() {
    liveExpiries -= 1
    guard expiries.count > 2 * liveExpiries + 64 else { return }
    let live = expiries.unordered.filter { entry in
      switch entry.kind {
      case .waiting: lanes[Int(entry.place)].place(ofNumber: entry.number) != nil
      case .sent: streams[Int(entry.place)].place(of: entry.number) != nil
      }
    }
    expiries = Heap(live)
  }
}
