import RoamkeyWire

// What acknowledgements and losses of packets do to the messages in them.

extension Outgoing {
  mutating func onAcknowledged(_ part: MessagePart, now: Instant) {
    guard let stream = find(part.stream) else { return }
    guard part.stream.delivery.isReliable else {
      return settlePart(stream, part.sequence, isLost: false, now: now)
    }
    guard let place = streams[stream].place(of: part.sequence) else {
      if !part.isCopy { _ = copies.takeRescued(stream, part.sequence) }
      return
    }
    let total = streams[stream].sent[place].total
    if part.range.count < total {
      let isWhole = streams[stream].acknowledged[part.sequence, default: ByteRanges()].insert(
        part.range, covering: 0..<total)
      guard isWhole else { return }
    }
    if part.isCopy { copies.addRescued(stream, part.sequence) }
    finish(stream, place)
  }

  /// - Parameter isProbe: nothing is known of the packet but that its acknowledgement is late, and something has to be
  ///   sent: reliable messages are as good as anything.
  mutating func onLost(_ part: MessagePart, isProbe: Bool, now: Instant) {
    guard let stream = find(part.stream) else { return }
    guard part.stream.delivery.isReliable else {
      guard !isProbe else { return }
      if streams[stream].lastLost != part.sequence { counters.lostMessages += 1 }
      streams[stream].lastLost = part.sequence
      return settlePart(stream, part.sequence, isLost: true, now: now)
    }
    guard !part.isCopy else { return }
    guard let place = streams[stream].place(of: part.sequence) else {
      if !isProbe, copies.takeRescued(stream, part.sequence) { counters.copiesNeeded += 1 }
      return
    }
    guard !streams[stream].sent[place].flags.contains(.skipped),
      !streams[stream].sent[place].flags.contains(.lost)
    else { return }
    let priority = streams[stream].sent[place].priority
    if part.range.count == streams[stream].sent[place].total { streams[stream].sent[place].flags.insert(.lost) }
    removeFromCopies(stream, place)
    let lane = streams[stream].lane(for: priority)
    lanes[lane].append(LostRange(sequence: part.sequence, range: part.range, priority: priority))
    enroll(lane)
  }

  /// A reliable message needs nothing more: all of it was acknowledged, or that it was given up.
  private mutating func finish(_ stream: Int, _ place: Int) {
    let flags = streams[stream].sent[place].flags
    removeFromCopies(stream, place)
    if !flags.contains(.skipped) {
      queuedBytes -= streams[stream].sent[place].total
      if flags.contains(.expires) { removedExpiry() }
    }
    // Who waits for a receipt goes on counting.
    if !flags.contains(.awaitsReceipt) { queuedBytes -= MessageContent.creditOverhead }
    queuedMessages -= 1
    streams[stream].remove(at: place)
    if flags.contains(.inPieces) { openPieceMessages -= 1 }
    unblockAll(.window)
  }

  // MARK: Giving up

  /// A reliable message of which something was sent has expired: no byte of it leaves any more, and the peer is told
  /// what it has cost so far (PROTOCOL §9.3).
  mutating func giveUp(_ stream: Int, _ place: Int) {
    let message = streams[stream].sent[place]
    let sequence = streams[stream].nextSequence - UInt64(streams[stream].sent.count - place)
    if message.sent < message.total { dropRest(stream, sequence, message) }
    removeFromCopies(stream, place)
    streams[stream].dropContent(at: place)
    streams[stream].sent[place].flags.insert(.skipped)
    streams[stream].sent[place].flags.remove(.awaitsReceipt)
    queuedBytes -= message.total
    removedExpiry()
    counters.expiredMessages += 1
    if message.flags.contains(.awaitsReceipt) { resolve(stream, of: sequence, as: .expired) }
    skips.append((stream, sequence))
  }

  /// What was never sent of it stops waiting. It counts as the message that was sent does.
  private mutating func dropRest(_ stream: Int, _ sequence: UInt64, _ message: SentMessage) {
    let lane = streams[stream].lane(for: message.priority)
    credit.advance(message.total - message.sent, isLast: true)
    streams[stream].credit.advance(message.total - message.sent, isLast: true)
    if let first = lanes[lane].waiting.first, first.state == .begun, first.sequence == sequence {
      lanes[lane].kill(at: 0)
      unblock(lane)
    }
    unblockAll(.credit)
  }

  /// A SKIP that is still to be told.
  mutating func takeSkip() -> SkipFrame? {
    while let (stream, sequence) = skips.popFirst() {
      // All of it may have been acknowledged late, and then there is nothing to skip.
      guard let place = streams[stream].place(of: sequence) else { continue }
      return SkipFrame(
        stream: streams[stream].id, sequence: sequence, credit: UInt64(streams[stream].sent[place].cost))
    }
    return nil
  }

  mutating func onSkipAcknowledged(_ id: StreamID, _ sequence: UInt64) {
    guard let stream = find(id), let place = streams[stream].place(of: sequence) else { return }
    finish(stream, place)
  }

  mutating func onSkipLost(_ id: StreamID, _ sequence: UInt64) {
    guard let stream = find(id), streams[stream].place(of: sequence) != nil else { return }
    skips.append((stream, sequence))
  }
}
