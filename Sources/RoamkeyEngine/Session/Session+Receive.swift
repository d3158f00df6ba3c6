import RoamkeyCrypto
import RoamkeyWire

/// Why an authentic packet ends the session.
enum Violation: Error {
  case malformed
  case limitExceeded

  var code: CloseCode {
    switch self {
    case .malformed: .protocolViolation
    case .limitExceeded: .limitExceeded
    }
  }
}

/// What the frames of a packet were, as far as that matters beyond them.
struct PacketSummary {
  var isAckEliciting = false
  /// Something in it is sent again if it is lost, or was sent to be answered.
  var isPrompt = false
  var isProbing = true
  var isEmpty = true
  /// The peer says that it has moved, for the first time.
  var isAnnounced = false

  mutating func note(_ frame: Frame) {
    isAckEliciting = isAckEliciting || frame.isAckEliciting
    isPrompt = isPrompt || frame.isAckEliciting && !frame.isUnreliable
    isProbing = isProbing && frame.isProbing
    isEmpty = false
  }
}

extension Session {
  /// Takes a packet for this session's connection id. Nothing before the commit changes the session, failure counters
  /// aside: whoever sends such packets need not be the peer.
  func receive(_ datagram: inout MutableRawSpan, path: NetworkPath, now: Instant) {
    switch state {
    case .open, .closing: break
    case .draining:
      receiveWhileDraining()
      return
    case .ended:
      context.statistics.count(.ended)
      return
    }
    let size = datagram.byteCount
    // No evidence of it could be kept, so nothing of it takes effect (PROTOCOL §3.6).
    guard size <= maximumDatagramSize else { return context.statistics.count(.malformed) }
    guard let opened = open(&datagram, from: path.remote, now: now) else { return }
    context.expected.advanceRooms()
    guard !opened.isReplay else { return receiveReplay(from: path.remote, now: now) }
    let plaintext = datagram.bytes.extracting(opened.plaintext)
    guard let frameCount = verify(plaintext, opened) else {
      context.statistics.count(.badSignature)
      fail(.badSignature, now: now)
      return
    }
    counters.bytesReceived += UInt64(size)
    guard commit(opened, now: now) else { return }
    if let recorder = context.recorder { record(plaintext, opened, for: recorder) }
    let frames = plaintext.extracting(0..<frameCount)
    if case .closing = state {
      receiveWhileClosing(frames, path: path, size: size, isNewest: opened.number == window.highest)
      return
    }
    do throws(Violation) {
      guard opened.reservedBits == 0 else { throw .malformed }
      let summary = try handle(frames, path: path, size: size, now: now)
      guard isOpen else { return }
      received.record(
        opened.number, ackEliciting: summary.isAckEliciting, isPatient: !summary.isPrompt, now: now)
      follow(path, size: size, number: opened.number, summary, now: now)
      isBlocked = false
      deliver(now: now)
    } catch {
      fail(error.code, now: now)
    }
  }

  // MARK: Opening

  private func open(_ datagram: inout MutableRawSpan, from remote: NetworkAddress, now: Instant) -> OpenedPacket? {
    do throws(OpenError) {
      return try keys.open(
        &datagram, connectionIDSize: issuedIDs.size, window: window, receiving: phases,
        opensReplays: followsPeer && paths.mattersAgain(from: remote))
    } catch {
      if isReset(datagram.bytes) {
        onReset()
        return nil
      }
      switch error {
      case .tooShort: context.statistics.count(.malformed)
      case .replayed: context.statistics.count(.replayed)
      case .authenticationFailed:
        context.statistics.count(.authenticationFailed)
        failedTags += 1
        if failedTags >= Self.failedTagLimit { fail(.keyMisuse, now: now) }
      }
      return nil
    }
  }

  /// How many bytes of the plaintext are frames, once the peer's signature is found good; nil if it is not.
  private func verify(_ plaintext: RawSpan, _ opened: OpenedPacket) -> Int? {
    guard signingPolicy == .everyPacket else { return plaintext.byteCount }
    guard let trailer = try? SignatureTrailer(plaintext) else { return nil }
    let leaf = leaf(of: trailer, plaintext, opened)
    let isGood =
      context.ahead.areVerified
      ? verifier.verify(trailer, leaf: leaf, plaintext, ahead: &context.ahead)
      : verifier.verify(trailer, leaf: leaf, plaintext)
    return isGood ? trailer.frameCount : nil
  }

  /// What a packet's signature, alone or with others, is for.
  @inline(__always)
  func leaf(of trailer: SignatureTrailer, _ plaintext: RawSpan, _ opened: OpenedPacket) -> Digest {
    let direction = keys.sending.opposite
    return keys.leaf(
      direction, number: opened.number, frames: plaintext.extracting(0..<trailer.frameCount),
      blinder: keys.blinder(direction, opened.phase, number: opened.number))
  }

  /// From here on the packet is the peer's.
  private func commit(_ opened: OpenedPacket, now: Instant) -> Bool {
    counters.packetsReceived += 1
    window.commit(opened.number)
    switch phases.commit(opened.phase, number: opened.number) {
    case .none: break
    case .advanced:
      keys.advance(keys.sending.opposite, keepPrevious: true)
      previousKeysUntil = now + probeTimeout * 3
    case .ranBackwards:
      fail(.keyMisuse, now: now)
      return false
    }
    finish = nil
    owesFinish = false
    if keepAlive.onHeard(now: now) {
      probeCount = 0
      peerClock.reset(now: now)
      // While closing, the app has been told of the end, and that is the last it hears.
      if isAnnounced, isOpen { context.events.append(.online(handle)) }
    }
    return true
  }

  // MARK: Frames

  private func handle(
    _ frames: RawSpan, path: NetworkPath, size: Int, now: Instant
  ) throws(Violation) -> PacketSummary {
    var summary = PacketSummary()
    var position = 0
    while position < frames.byteCount {
      guard let frame = try? Frame.read(frames, at: &position) else { throw .malformed }
      summary.note(frame)
      switch frame {
      case .padding, .ping: break
      case .ack(let ack): try handle(ack, frames, now: now)
      case .close(let close): handle(close, frames, now: now)
      case .pathChallenge, .pathResponse, .pathDrop, .newConnectionID, .retireConnectionID, .moved, .addresses,
        .observedAddress:
        try handleRoaming(frame, frames, path: path, size: size, &summary, now: now)
      case .maxData(let limit): channels.onMaxData(limit)
      case .maxChannelData(let frame): channels.onMaxChannelData(frame)
      case .receipt, .skip, .message: try handleDelivery(frame, frames, now: now)
      case .timeRequest(let time): peerClock.onRequest(time, now: now)
      case .timeResponse(let answer):
        _ = peerClock.onAnswer(echo: answer.echo, received: answer.received, delay: answer.delay, now: now)
      case .resting(let frame): handle(frame, now: now)
      }
      guard isOpen else { return summary }
    }
    guard !summary.isEmpty else { throw .malformed }
    // A refusal would have closed it: the server has let us in.
    announce()
    return summary
  }

  private func handleDelivery(_ frame: Frame, _ frames: RawSpan, now: Instant) throws(Violation) {
    do throws(ChannelError) {
      switch frame {
      case .message(let message): try channels.receive(message, frames, now: now)
      case .skip(let skip): try channels.receive(skip)
      case .receipt(let receipt): try channels.receive(receipt)
      case .padding, .ping, .ack, .close, .pathChallenge, .pathResponse, .pathDrop, .newConnectionID,
        .retireConnectionID, .moved, .addresses, .observedAddress, .maxData, .maxChannelData, .timeRequest,
        .timeResponse, .resting:
        break
      }
    } catch {
      switch error {
      case .limitExceeded: throw .limitExceeded
      case .contradiction: throw .malformed
      }
    }
  }

  private func handle(_ frame: AckFrame, _ payload: RawSpan, now: Instant) throws(Violation) {
    sent.beginAck(now: now, recoveryStart: congestion.recoveryStart)
    do throws(AckError) {
      try frame.forEachRange(payload) { range throws(AckError) in try sent.acknowledge(range, into: &ackedFrames) }
    } catch {
      ackedFrames.removeAll(keepingCapacity: true)
      throw .malformed
    }
    let outcome = sent.endAck()
    if let sample = outcome.rttSample {
      rtt.update(
        latest: sample, ackDelay: frame.delay, maximumAckDelay: context.configuration.longestAckDelay)
    }
    if let newest = outcome.largestNewlyAcked {
      probeCount = 0
      if newest.packetNumber == frame.largest, !newest.isPatient { ackDelays.onAck(reported: frame.delay) }
      sendPhase.onAcknowledged(newest.packetNumber)
      congestion.onAcknowledged(
        bytes: outcome.congestionBytes, sentAt: newest.sentAt, now: now,
        isApplicationLimited: isApplicationLimited)
    }
    lossMeter.onAcked(packets: outcome.newlyAckedPackets)
    lossMeter.onSpurious(packets: outcome.spuriousLosses)
    detectLosses(now: now)
    // After the losses that the same frame reveals: they are older, and would else begin a run of losses anew.
    if outcome.largestAckedSize > mtu.base { mtu.onPacketAcked(size: outcome.largestAckedSize) }
    if let size = outcome.ackedProbeSize { mtu.onProbeAcked(size: size, now: now) }
    if outcome.newlyAckedPackets > 0 { noteAnswer(now: now) }
    congestion.maximumDatagramSize = mtu.current
    channels.receiptPatience = probeTimeout * Self.receiptProbeTimeouts
    for frame in ackedFrames { onAcknowledged(frame, now: now) }
    ackedFrames.removeAll(keepingCapacity: true)
    requeueLost(now: now)
  }

  /// Packets now deemed lost: their frames wait in `lostFrames`.
  func detectLosses(now: Instant) {
    let loss = sent.detectLosses(
      now: now, rtt: rtt, maximumAckDelay: context.configuration.maximumAckDelay, largerThan: mtu.base,
      into: &lostFrames)
    context.statistics.packetsLost += UInt64(loss.lostPackets)
    counters.packetsLost += UInt64(loss.lostPackets)
    lossMeter.onLost(packets: loss.lostPackets)
    if let newest = loss.newestLostSentAt {
      eager.onCongestion(
        isWindowUsed: sent.bytesInFlight * 2 >= congestion.window, roundTrip: rtt.smoothed, now: now)
      congestion.onCongestion(newestLostSentAt: newest, now: now, persistent: loss.isPersistentCongestion)
      if loss.isPersistentCongestion { rtt.onPersistentCongestion() }
    }
    if let large = loss.large {
      mtu.onPacketsLost(large.count, smallestSize: large.smallestSize, newestSentAt: large.newestSentAt, now: now)
    }
    if let size = loss.lostProbeSize { mtu.onProbeLost(size: size, now: now) }
    congestion.maximumDatagramSize = mtu.current
  }

  /// How many probe timeouts a receipt is waited for once its message has arrived: enough for one that is lost and sent
  /// again.
  private static let receiptProbeTimeouts = 3

  private func onAcknowledged(_ frame: SentFrame, now: Instant) {
    switch frame {
    case .message(let part): channels.onAcknowledged(part, now: now)
    case .ack(let largest): received.forget(through: largest)
    case .skip(let stream, let sequence): channels.onSkipAcknowledged(stream, sequence: sequence)
    case .maxData, .maxChannelData, .receipt, .observedAddress, .newConnectionID, .retireConnectionID, .moved,
      .addresses, .resting, .mtuProbe, .ephemeral:
      break
    }
  }

  /// Sends again what was lost: by message bytes, and by what is true now.
  /// - Parameter isProbe: nothing is known to be lost, but something has to be sent.
  func requeueLost(isProbe: Bool = false, now: Instant) {
    for frame in lostFrames {
      switch frame {
      case .message(let part): channels.onLost(part, isProbe: isProbe, now: now)
      case .maxData: channels.onLimitLost()
      case .maxChannelData(let stream): channels.onLimitLost(of: stream)
      case .skip(let stream, let sequence): channels.onSkipLost(stream, sequence: sequence)
      case .receipt(let frame): channels.onReceiptLost(frame)
      case .observedAddress(let sequence): news.observation.onLost(sequence)
      case .newConnectionID(let sequence): issuedIDs.onLost(sequence)
      case .retireConnectionID(let sequence): peerIDs.onLost(sequence)
      case .moved(let epoch): news.move.onLost(epoch)
      case .addresses(let sequence): news.list.onLost(sequence)
      case .resting(let sequence): if sequence == rest.sequence { rest.owesFrame = true }
      case .mtuProbe, .ack, .ephemeral: break
      }
    }
    lostFrames.removeAll(keepingCapacity: true)
  }

  // MARK: After the frames

  /// Tells the app of the session, once.
  func announce() {
    guard !isAnnounced else { return }
    isAnnounced = true
    context.statistics.sessionsOpened += 1
    context.events.append(.joined(handle, peer, peerAddress))
  }

  /// Hands complete messages to the app, in order.
  private func deliver(now: Instant) {
    tellOutcomes()
    // What left together was sent within one millisecond more often than not.
    var sendingTime: (time: UInt32?, at: Instant, error: Duration?)?
    var count: UInt64 = 0
    while isOpen, let (stream, sequence, bytes, credit) = channels.takeMessage() {
      guard let content = try? MessageContent(bytes) else {
        fail(.protocolViolation, now: now)
        break
      }
      count += 1
      let (time, wantsReceipt) = (content.time, content.wantsReceipt)
      if sendingTime?.time != time || sendingTime == nil {
        let (at, error) = self.sendingTime(time, now: now)
        sendingTime = (time, at, error)
      }
      context.events.append(
        .message(
          handle,
          InboundMessage(
            stream: stream, sequence: sequence, content: content, credit: credit, receivedAt: now,
            sentAt: sendingTime?.at ?? now, sentAtError: sendingTime?.error)))
      if wantsReceipt { channels.onHandedOver(stream, sequence: sequence) }
    }
    guard count > 0 else { return }
    context.statistics.messagesReceived += count
    counters.messagesReceived += count
    noteTraffic(now: now)
  }

  /// Tells the app what became of messages for which it wants receipts.
  func tellOutcomes() {
    while isOpen, let (token, outcome) = channels.takeOutcome() {
      context.events.append(.receipt(handle, token, outcome))
    }
  }
}
