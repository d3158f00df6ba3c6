import DequeModule
import RoamkeyWire

// What becomes of messages whose sender wants to know (PROTOCOL §9.7). Each gets one outcome:
//
//   delivered    the peer's RECEIPT came
//   expired      its time came before all of it was sent; or, if reliable, acknowledged
//   superseded   latest: a newer one took its place before it was sent, or the receipt of a newer one came first; or
//                all its packets arrived, and no receipt within `receiptPatience`: it was late there
//   lost         latest and unreliable: all its packets are settled, and at least one was lost; unreliable: all arrived
//                and no receipt came in time
//
// The first one counts, whatever comes later.

/// Until when a receipt is waited for.
struct ReceiptDeadline: Sendable {
  let at: Instant
  let stream: Int
  let sequence: UInt64
}

extension Outgoing {
  /// A packet with some of a message leaves whose receipt is awaited.
  mutating func noteSentPart(_ stream: Int, _ sequence: UInt64, isLast: Bool) {
    guard let place = streams[stream].awaitedPlace(of: sequence) else { return }
    streams[stream].awaited[place].open += 1
    streams[stream].awaited[place].isSent = isLast
  }

  /// The fate of a packet with some of an unreliable message is known.
  mutating func settlePart(_ stream: Int, _ sequence: UInt64, isLost: Bool, now: Instant) {
    guard let place = streams[stream].awaitedPlace(of: sequence), streams[stream].awaited[place].open > 0 else {
      return
    }
    streams[stream].awaited[place].open -= 1
    if isLost { streams[stream].awaited[place].hasLoss = true }
    let awaited = streams[stream].awaited[place]
    guard awaited.open == 0, awaited.isSent else { return }
    if awaited.hasLoss {
      conclude(stream, of: sequence, as: .lost)
    } else {
      receiptDeadlines.append(ReceiptDeadline(at: now + receiptPatience, stream: stream, sequence: sequence))
    }
  }

  /// The peer's app was handed messages. None may be told of that was not wholly sent.
  mutating func receive(_ frame: ReceiptFrame) throws(ChannelError) {
    guard let stream = find(frame.stream), frame.sequences.upperBound < streams[stream].nextSequence else {
      throw .contradiction
    }
    var place = streams[stream].awaitedPlace(notBelow: frame.sequences.lowerBound)
    if frame.stream.delivery == .latest { supersedeAwaited(stream, below: frame.sequences.lowerBound, &place) }
    while place < streams[stream].awaited.count, streams[stream].awaited[place].sequence <= frame.sequences.upperBound {
      let awaited = streams[stream].awaited[place]
      place += 1
      guard !awaited.isSettled else { continue }
      guard awaited.isSent else { throw .contradiction }
      settle(stream, at: place - 1, as: .delivered)
      stopCounting(stream, awaited.sequence)
    }
    streams[stream].removeSettled()
    dropOldDeadlines()
  }

  /// Nobody waits for older ones where a newer one was handed over: those will be dropped as late.
  private mutating func supersedeAwaited(_ stream: Int, below sequence: UInt64, _ place: inout Int) {
    for lane in streams[stream].lanes {
      guard let first = lanes[lane].waiting.first, first.state == .begun, first.sequence < sequence else { continue }
      counters.supersededMessages += 1
      takeBack(lane, at: 0, as: .superseded)
    }
    place = streams[stream].awaitedPlace(notBelow: sequence)
    for older in 0..<place where !streams[stream].awaited[older].isSettled {
      settle(stream, at: older, as: .superseded)
      queuedBytes -= MessageContent.creditOverhead
    }
  }

  /// Unreliable messages that have arrived, so it seems, and were not handed over.
  mutating func stopWaitingForReceipts(now: Instant) {
    while let first = receiptDeadlines.first, first.at <= now {
      receiptDeadlines.removeFirst()
      conclude(
        first.stream, of: first.sequence, as: streams[first.stream].id.delivery == .latest ? .superseded : .lost)
    }
    dropOldDeadlines()
  }

  // MARK: Outcomes

  /// The outcome of an unreliable message that was wholly sent.
  private mutating func conclude(_ stream: Int, of sequence: UInt64, as outcome: DeliveryOutcome) {
    guard let place = streams[stream].awaitedPlace(of: sequence) else { return }
    settle(stream, at: place, as: outcome)
    queuedBytes -= MessageContent.creditOverhead
    streams[stream].removeSettled()
  }

  /// The outcome of a message that goes on counting by other means.
  mutating func resolve(_ stream: Int, of sequence: UInt64, as outcome: DeliveryOutcome) {
    guard let place = streams[stream].awaitedPlace(of: sequence) else { return }
    settle(stream, at: place, as: outcome)
    streams[stream].removeSettled()
  }

  /// No outcome is told any more: it was.
  mutating func settleReceipt(_ stream: Int, of sequence: UInt64) {
    guard let place = streams[stream].awaitedPlace(of: sequence) else { return }
    streams[stream].awaited[place].isSettled = true
    streams[stream].settledReceipts += 1
    streams[stream].removeSettled()
  }

  private mutating func settle(_ stream: Int, at place: Int, as outcome: DeliveryOutcome) {
    outcomes.append((streams[stream].awaited[place].token, outcome))
    streams[stream].awaited[place].isSettled = true
    streams[stream].settledReceipts += 1
  }

  /// A receipt came: its message counts only as long as it is not acknowledged.
  private mutating func stopCounting(_ stream: Int, _ sequence: UInt64) {
    if streams[stream].id.delivery.isReliable, let place = streams[stream].place(of: sequence) {
      streams[stream].sent[place].flags.remove(.awaitsReceipt)
    } else {
      queuedBytes -= MessageContent.creditOverhead
    }
  }

  private mutating func dropOldDeadlines() {
    while let first = receiptDeadlines.first, streams[first.stream].awaitedPlace(of: first.sequence) == nil {
      receiptDeadlines.removeFirst()
    }
  }
}
