import RoamkeyWire

// What one lane writes: the bytes that are to be sent again, or the next ones that never were.

extension Outgoing {
  /// What of a lane's next message may leave.
  enum Plan {
    case send(Range<Int>)
    case noRoom
    case blocked(Lane.Block)
  }

  /// Pieces shorter than this are not begun: their headers would be a large part of them.
  private static let smallestPiece = 64

  // MARK: What was lost

  /// - Returns: false where there is no room for it.
  mutating func sendLost(
    _ lane: Int, room: Int, fullRoom: Int, _ output: inout OutputRawSpan, frames: inout [SentFrame]
  ) -> Bool {
    let lost = lanes[lane].lost[0]
    let stream = lanes[lane].stream
    guard let (place, wanted) = missing(lost, of: stream) else {
      lanes[lane].dropFirstLost()
      return true
    }
    let flags = streams[stream].sent[place].flags
    let total = streams[stream].sent[place].total
    guard
      let range = fit(
        streams[stream].id, lost.sequence, wanted, total: total, isInPieces: flags.contains(.inPieces), room: room,
        fullRoom: fullRoom)
    else { return false }
    streams[stream].sent[place].flags.remove(.lost)
    if range.upperBound >= lost.range.upperBound {
      lanes[lane].dropFirstLost()
    } else {
      lanes[lane].lost[0].range = range.upperBound..<lost.range.upperBound
    }
    if range.count < total { markPieces(stream, place) }
    counters.retransmittedBytes += UInt64(range.count)
    let id = streams[stream].id
    output.appendMessage(id, sequence: lost.sequence, content: streams[stream].contents[place], range: range)
    frames.append(.message(MessagePart(stream: id, sequence: lost.sequence, range, of: total)))
    return true
  }

  /// The first bytes of a lost range that are still to be sent again; nil where there are none: some of it may have
  /// been acknowledged late, or the message was given up.
  mutating func missing(_ lost: LostRange, of stream: Int) -> (place: Int, range: Range<Int>)? {
    guard let place = streams[stream].place(of: lost.sequence),
      !streams[stream].sent[place].flags.contains(.skipped)
    else { return nil }
    // An empty message has no missing bytes, but is missing as a whole.
    guard !lost.range.isEmpty, let known = streams[stream].acknowledged[lost.sequence] else {
      return (place, lost.range)
    }
    return known.firstMissing(in: lost.range).map { (place, $0) }
  }

  // MARK: What is new

  mutating func plan(_ lane: Int, room: Int, fullRoom: Int) -> Plan {
    let stream = lanes[lane].stream
    let id = streams[stream].id
    let total = lanes[lane].waiting[0].total
    if lanes[lane].waiting[0].state == .begun {
      return planRest(lane, total: total, room: room, fullRoom: fullRoom)
    }
    let sequence = streams[stream].nextSequence
    let isWhole = MessageFrame.headerSize(id, sequence: sequence, count: total) + total <= fullRoom
    var affordable = total
    if id.delivery.isReliable {
      guard streams[stream].sent.count < SendStream.aheadLimit else { return .blocked(.window) }
      let cost = Channels.cost(total)
      let available = min(credit.available, streams[stream].credit.available)
      if available < cost {
        guard !isWhole, credit.canBegin(cost), streams[stream].credit.canBegin(cost),
          available >= Channels.cost(min(total, Self.smallestPiece))
        else { return .blocked(.credit) }
        affordable = available - MessageContent.creditOverhead
      } else if !isWhole {
        guard credit.canBegin(cost), streams[stream].credit.canBegin(cost) else { return .blocked(.credit) }
      }
      guard isWhole || openPieceMessages < pieceMessageLimit else { return .blocked(.window) }
    }
    let range = fit(id, sequence, 0..<affordable, total: total, isInPieces: false, room: room, fullRoom: fullRoom)
    return range.map { .send($0) } ?? .noRoom
  }

  /// The next piece of a message that has begun.
  private mutating func planRest(_ lane: Int, total: Int, room: Int, fullRoom: Int) -> Plan {
    let stream = lanes[lane].stream
    let id = streams[stream].id
    let sent = lanes[lane].waiting[0].sent
    var affordable = total
    if id.delivery.isReliable {
      affordable = min(total, sent + min(credit.available, streams[stream].credit.available))
      guard affordable - sent >= min(total - sent, Self.smallestPiece) else { return .blocked(.credit) }
    }
    let range = fit(
      id, lanes[lane].waiting[0].sequence, sent..<affordable, total: total, isInPieces: true, room: room,
      fullRoom: fullRoom)
    return range.map { .send($0) } ?? .noRoom
  }

  /// As many bytes of `wanted` as fit; nil where that is not worth a frame.
  private func fit(
    _ id: StreamID, _ sequence: UInt64, _ wanted: Range<Int>, total: Int, isInPieces: Bool, room: Int, fullRoom: Int
  ) -> Range<Int>? {
    let whole = MessageFrame.headerSize(id, sequence: sequence, count: total) + total
    if whole <= fullRoom, !isInPieces { return whole <= room ? wanted : nil }
    let header = MessageFrame.pieceHeaderSize(
      id, sequence: sequence, offset: wanted.lowerBound, total: total, count: min(wanted.count, max(0, room)))
    let size = min(wanted.count, room - header)
    guard size > 0, size >= min(wanted.count, Self.smallestPiece) else { return nil }
    return wanted.lowerBound..<(wanted.lowerBound + size)
  }

  mutating func sendNew(
    _ lane: Int, _ range: Range<Int>, _ output: inout OutputRawSpan, now: Instant, frames: inout [SentFrame]
  ) {
    let stream = lanes[lane].stream
    let id = streams[stream].id
    let message = lanes[lane].waiting[0]
    let isFirst = message.state != .begun
    let isLast = range.upperBound == message.total
    let sequence = isFirst ? streams[stream].nextSequence : message.sequence
    output.appendMessage(id, sequence: sequence, content: lanes[lane].contents[0], range: range)
    frames.append(.message(MessagePart(stream: id, sequence: sequence, range, of: message.total)))
    if isFirst { streams[stream].nextSequence += 1 }
    if message.wantsReceipt {
      if isFirst { streams[stream].awaited.append(AwaitedReceipt(sequence: sequence, token: message.token)) }
      noteSentPart(stream, sequence, isLast: isLast)
    }
    if !isLast { lanes[lane].waiting[0].advance(to: range.upperBound, sequence: sequence) }
    if id.delivery.isReliable {
      spend(stream, range, total: message.total, isFirst: isFirst)
      if isFirst {
        noteSent(lane, message, sequence, sent: range.upperBound, now: now)
      } else {
        noteRest(lane, stream, sequence, sent: range.upperBound, isLast: isLast)
      }
    } else if isLast {
      _ = lanes[lane].takeFirst()
      queuedBytes -= message.total + (message.wantsReceipt ? 0 : MessageContent.creditOverhead)
      queuedMessages -= 1
      if message.expires { removedExpiry() }
    }
  }

  private mutating func spend(_ stream: Int, _ range: Range<Int>, total: Int, isFirst: Bool) {
    let cost = range.count + (isFirst ? MessageContent.creditOverhead : 0)
    credit.spend(cost)
    streams[stream].credit.spend(cost)
    let isLast = range.upperBound == total
    if isFirst, !isLast {
      credit.begin(rest: total - range.count)
      streams[stream].credit.begin(rest: total - range.count)
    } else if !isFirst {
      credit.advance(range.count, isLast: isLast)
      streams[stream].credit.advance(range.count, isLast: isLast)
      // Another may begin.
      if isLast { unblockAll(.credit) }
    }
  }

  /// Takes note of a reliable message that leaves for the first time.
  private mutating func noteSent(
    _ lane: Int, _ message: WaitingMessage, _ sequence: UInt64, sent: Int, now: Instant
  ) {
    let stream = lanes[lane].stream
    let isWhole = sent == message.total
    var flags: SentMessage.Flags = message.wantsReceipt ? .awaitsReceipt : []
    if message.expires {
      flags.insert(.expires)
      expiries.insert(Expiry(at: message.expiry, place: UInt16(stream), number: sequence, kind: .sent))
    }
    let isCandidate = isWhole && sent <= CopyCandidates.sizeLimit
    if isCandidate { flags.insert(.candidate) }
    streams[stream].append(
      SentMessage(total: message.total, sent: sent, priority: message.priority, flags: flags),
      isWhole ? lanes[lane].takeFirst() : lanes[lane].contents[0])
    if isCandidate { addCandidate(stream, sequence, now: now) }
    if !isWhole { markPieces(stream, streams[stream].sent.count - 1) }
  }

  /// The same for the next piece of it.
  private mutating func noteRest(_ lane: Int, _ stream: Int, _ sequence: UInt64, sent: Int, isLast: Bool) {
    if let place = streams[stream].place(of: sequence) { streams[stream].sent[place].sent = sent }
    if isLast { _ = lanes[lane].takeFirst() }
  }

  private mutating func markPieces(_ stream: Int, _ place: Int) {
    guard !streams[stream].sent[place].flags.contains(.inPieces) else { return }
    streams[stream].sent[place].flags.insert(.inPieces)
    openPieceMessages += 1
  }
}

extension MessagePart {
  init(stream: StreamID, sequence: UInt64, _ range: Range<Int>, of total: Int, isCopy: Bool = false) {
    self.init(
      stream: stream, sequence: sequence, offset: UInt32(range.lowerBound), count: UInt32(range.count),
      isWhole: range.count == total, isCopy: isCopy)
  }
}
