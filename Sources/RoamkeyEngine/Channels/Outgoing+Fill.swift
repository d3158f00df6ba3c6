import RoamkeyWire

extension Outgoing {
  /// The packet that is being filled.
  struct Room {
    /// Where frames must end.
    let end: Int
    /// What an empty packet has room for: a message that fits into it is never cut up.
    let full: Int
    /// Whether messages may leave that were not sent yet.
    var allowsNew = true
    let now: Instant
  }

  /// Why a lane's turn ended.
  private enum Stop {
    /// Its next message needs more room.
    case noRoom
    /// It belongs into another ring now, or into none.
    case moved
    case blocked(Lane.Block)
    /// Somebody less urgent has waited long enough.
    case enough
  }

  /// What of a lane's next message may leave.
  private enum Plan {
    case send(Range<Int>)
    case noRoom
    case blocked(Lane.Block)
  }

  /// Frames shorter than this hold nothing.
  private static let smallestFrame = 5
  /// Pieces shorter than this are not begun: their headers would be a large part of them.
  private static let smallestPiece = 64
  /// Once a packet is under way, so many lanes may find it too full before nobody else is asked.
  private static let misfitLimit = 4

  // MARK: Whose turn it is

  /// Writes as many messages and pieces as fit. The first lane whose turn it is either gets what it needs or nobody
  /// gets anything: a message that needs a whole packet could wait for ever behind smaller ones.
  mutating func fill(_ output: inout OutputRawSpan, _ room: Room, frames: inout [SentFrame]) {
    beginTurn()
    fullRoom = room.full
    expire(now: room.now)
    let start = output.byteCount
    var position = Schedule.Position()
    var triedStarved = false
    var misfits = 0
    while room.end - output.byteCount >= Self.smallestFrame, misfits < Self.misfitLimit {
      let starved = triedStarved || !room.allowsNew ? nil : schedule.starved
      guard let place = starved ?? schedule.next(from: position) else { return }
      if !room.allowsNew, place.ring & 1 == 1 {
        position = Schedule.Position(ring: place.ring + 1, place: 0)
        continue
      }
      if starved == nil { position = place }
      let lane = Int(schedule.rings[place.ring][place.place])
      guard lanes[lane].ring == place.ring else {
        moveOn(lane, from: place)
        continue
      }
      let before = output.byteCount
      let allowance = starved != nil ? 0 : triedStarved ? Int.max : schedule.allowance(ofRing: place.ring)
      let stop = serve(lane, ring: place.ring, allowance: allowance, &output, room, frames: &frames)
      let written = output.byteCount - before
      schedule.note(written, ofRing: place.ring)
      switch stop {
      case .moved: moveOn(lane, from: place)
      case .blocked(let reason):
        block(lane, reason)
        moveOn(lane, from: place)
      case .enough:
        if starved != nil { schedule.rotate(at: place) }
      case .noRoom:
        if output.byteCount == start { return }
        if starved != nil {
          triedStarved = true
        } else if written > 0, misfits == 0 {
          schedule.rotate(at: place)
        } else {
          // What little others have left is not a turn.
          position.place += 1
        }
        misfits += 1
      }
    }
  }

  /// Whether something could be written into an empty packet.
  var hasDataToSend: Bool {
    var position = Schedule.Position()
    while let next = schedule.next(from: position) {
      let lane = Int(schedule.rings[next.ring][next.place])
      position = Schedule.Position(ring: next.ring, place: next.place + 1)
      guard lanes[lane].ring == next.ring else { continue }
      if lanes[lane].lost.contains(where: { missing($0, of: lanes[lane].stream) != nil }) { return true }
      if !lanes[lane].waiting.isEmpty, case .send = plan(lane, room: fullRoom, fullRoom: fullRoom) { return true }
    }
    return false
  }

  /// Lets one lane write until the packet is full, or something else is due.
  private mutating func serve(
    _ lane: Int, ring: Int, allowance: Int, _ output: inout OutputRawSpan, _ room: Room, frames: inout [SentFrame]
  ) -> Stop {
    let start = output.byteCount
    repeat {
      guard lanes[lane].ring == ring else { return .moved }
      let left = room.end - output.byteCount
      guard left >= Self.smallestFrame else { return .noRoom }
      if ring & 1 == 0 {
        guard sendLost(lane, room: left, fullRoom: room.full, &output, frames: &frames) else { return .noRoom }
      } else {
        switch plan(lane, room: left, fullRoom: room.full) {
        case .send(let range): sendNew(lane, range, &output, now: room.now, frames: &frames)
        case .noRoom: return .noRoom
        case .blocked(let reason): return .blocked(reason)
        }
      }
    } while output.byteCount - start < allowance
    return lanes[lane].ring == ring ? .enough : .moved
  }

  // MARK: What was lost

  /// - Returns: false where there is no room for it.
  private mutating func sendLost(
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
    output.appendMessage(id, sequence: lost.sequence, content: streams[stream].sent[place].content, range: range)
    frames.append(.message(MessagePart(stream: id, sequence: lost.sequence, range, of: total)))
    return true
  }

  /// The first bytes of a lost range that are still to be sent again; nil where there are none: some of it may have
  /// been acknowledged late, or the message was given up.
  private func missing(_ lost: LostRange, of stream: Int) -> (place: Int, range: Range<Int>)? {
    guard let place = streams[stream].place(of: lost.sequence),
      !streams[stream].sent[place].flags.contains(.skipped)
    else { return nil }
    // An empty message has no missing bytes, but is missing as a whole.
    if streams[stream].sent[place].acknowledged.isEmpty || lost.range.isEmpty { return (place, lost.range) }
    return streams[stream].sent[place].acknowledged.firstMissing(in: lost.range).map { (place, $0) }
  }

  // MARK: What is new

  private func plan(_ lane: Int, room: Int, fullRoom: Int) -> Plan {
    let stream = lanes[lane].stream
    let id = streams[stream].id
    let total = lanes[lane].waiting[0].content.count
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
  private func planRest(_ lane: Int, total: Int, room: Int, fullRoom: Int) -> Plan {
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

  private mutating func sendNew(
    _ lane: Int, _ range: Range<Int>, _ output: inout OutputRawSpan, now: Instant, frames: inout [SentFrame]
  ) {
    let stream = lanes[lane].stream
    let id = streams[stream].id
    let total = lanes[lane].waiting[0].content.count
    let isFirst = lanes[lane].waiting[0].state != .begun
    let isLast = range.upperBound == total
    let sequence = isFirst ? streams[stream].nextSequence : lanes[lane].waiting[0].sequence
    output.appendMessage(id, sequence: sequence, content: lanes[lane].waiting[0].content, range: range)
    frames.append(.message(MessagePart(stream: id, sequence: sequence, range, of: total)))
    if isFirst {
      streams[stream].nextSequence += 1
      if lanes[lane].waiting[0].wantsReceipt {
        streams[stream].awaited.append(AwaitedReceipt(sequence: sequence, token: lanes[lane].waiting[0].token))
      }
      if !isLast { lanes[lane].waiting[0].begin(as: sequence) }
    }
    lanes[lane].waiting[0].sent = range.upperBound
    if lanes[lane].waiting[0].wantsReceipt { noteSentPart(stream, sequence, isLast: isLast) }
    if id.delivery.isReliable {
      spend(stream, range, total: total, isFirst: isFirst)
      sendReliable(lane, stream, sequence, range, isFirst: isFirst, isLast: isLast, now: now)
    } else if isLast {
      let message = lanes[lane].takeFirst()
      queuedBytes -= total + (message.wantsReceipt ? 0 : MessageContent.creditOverhead)
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

  /// Takes note of a reliable message, or more of one, that leaves for the first time.
  private mutating func sendReliable(
    _ lane: Int, _ stream: Int, _ sequence: UInt64, _ range: Range<Int>, isFirst: Bool, isLast: Bool, now: Instant
  ) {
    if isFirst, isLast {
      let message = lanes[lane].takeFirst()
      let isCandidate = range.count <= CopyCandidates.sizeLimit
      appendSent(message, stream, sequence, sent: range.count, isCandidate ? .candidate : [])
      if isCandidate { addCandidate(stream, sequence, now: now) }
    } else if isFirst {
      appendSent(lanes[lane].waiting[0], stream, sequence, sent: range.count, [])
      markPieces(stream, streams[stream].sent.count - 1)
    } else {
      if let place = streams[stream].place(of: sequence) { streams[stream].sent[place].sent = range.upperBound }
      if isLast { _ = lanes[lane].takeFirst() }
    }
  }

  private mutating func appendSent(
    _ message: WaitingMessage, _ stream: Int, _ sequence: UInt64, sent: Int, _ flags: SentMessage.Flags
  ) {
    var flags = flags
    if message.wantsReceipt { flags.insert(.awaitsReceipt) }
    if message.expires {
      flags.insert(.expires)
      expiries.insert(Expiry(at: message.expiry, place: UInt16(stream), number: sequence, kind: .sent))
    }
    streams[stream].sent.append(
      SentMessage(
        content: message.content, total: message.content.count, sent: sent, priority: message.priority, flags: flags))
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
