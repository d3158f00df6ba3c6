import RoamkeyCrypto
import RoamkeyWire

extension Session {
  /// Writes the next datagram to send, if any, at the end of `output`.
  /// - Returns: where it goes; nil when there is nothing to send, or nothing may be sent, now.
  func pollTransmit(into output: inout OutputRawSpan, now: Instant) -> NetworkPath? {
    isDrained = false
    switch state {
    case .open: break
    case .closing: return transmitClose(into: &output, now: now)
    case .draining: return transmitCloseEcho(into: &output, now: now)
    case .ended: return nil
    }
    if owesFinish, let finish {
      owesFinish = false
      output.append(contentsOf: finish.span.bytes)
      return paths.active.path
    }
    if let finish, let path = search.takeFinishPath(now: now) {
      output.append(contentsOf: finish.span.bytes)
      return path
    }
    return transmitResponse(into: &output, now: now) ?? transmitChallenge(into: &output, now: now)
      ?? transmitFrames(into: &output, now: now) ?? transmitMTUProbe(into: &output, now: now)
  }

  // MARK: Kinds of packets

  /// Everything else: what is owed, then messages, then an acknowledgement where one is due or rides along.
  private func transmitFrames(into output: inout OutputRawSpan, now: Instant) -> NetworkPath? {
    channels.beginTurn()
    releaseMemoryIfIdle(now: now)
    let path = paths.active.path
    // What is padded is padded to the base, whatever the path may carry.
    let base = context.configuration.packetSize
    let size = min(owesPadding ? base : mtu.current, paths.budget)
    guard size >= smallestPacket else {
      isBlocked = true
      pacedUntil = nil
      return nil
    }
    renewKeyIfDue(now: now)
    let packet = beginPacket(into: &output, size: size, mayShare: true)
    let framesStart = output.byteCount
    // Short of full size padding shows nothing of the path, and would use up what an unproven address may be sent.
    let isPadded = appendOwed(packet, into: &output, now: now) && size == base
    var copied = 0
    if owesProbe || mayFill(now: now) {
      appendMessages(packet, into: &output, now: now)
      copied = appendCopies(packet, isAlone: output.byteCount == framesStart, into: &output, now: now)
    }
    let messagesEnd = output.byteCount
    // What asks for an answer asks for a prompt one.
    if owesProbe || owesPing, output.byteCount < packet.end, writtenFrames.allSatisfy(\.isPatient) {
      output.append(FrameType.ping)
      writtenFrames.append(.ephemeral)
    }
    let isAckEliciting = output.byteCount > framesStart
    guard isAckEliciting || received.isAckDue(now: now) || isClockDue(now: now) else {
      output.removeLast(output.byteCount - packet.start)
      return nil
    }
    appendAck(room: packet.end - output.byteCount, isAlone: !isAckEliciting, into: &output, now: now)
    appendClock(packet, isAlone: output.byteCount == framesStart, into: &output, now: now)
    guard output.byteCount > framesStart else {
      output.removeLast(output.byteCount - packet.start)
      return nil
    }
    let isProbe = owesProbe
    owesProbe = false
    owesPing = false
    owesCopies = false
    // Who does not know the session any more answers no smaller ones (PROTOCOL §6).
    let least = packet.start + packet.headerSize + ResetDatagram.minimumCause - packet.overhead
    let end = isPadded ? packet.end : isProbe ? min(least, packet.end) : packet.smallestEnd
    if output.byteCount == messagesEnd { dropLastLength(from: &output, end: end) }
    if output.byteCount < end {
      output.append(repeating: FrameType.padding, count: end - output.byteCount, as: UInt8.self)
    }
    if packet.end - output.byteCount < Self.smallestGap { mtu.onFullPacket() }
    finishPacket(
      packet, into: &output, isAckEliciting: isAckEliciting, isPadded: isPadded, remote: path.remote, now: now)
    eager.onSent(bytes: output.byteCount - packet.start, copied: copied)
    noteRest(packet.end - output.byteCount, now: now)
    return path
  }

  /// Whether a packet that has left so much room has held all that there was.
  private func noteRest(_ room: Int, now: Instant) {
    guard room >= Self.ampleRoom, !owesCopies, !channels.checkForData() else { return }
    if let mtuProbeTime, mtuProbeTime <= now { return }
    pacedUntil = nil
    isApplicationLimited = true
    isDrained = true
  }

  /// More than any frame needs that is not of a message.
  private static let ampleRoom = 400

  /// The last frame of a packet needs no length. Worth it where the message is small, and cheap there. Nothing may
  /// follow it then: `end` is up to where PADDING does.
  private func dropLastLength(from output: inout OutputRawSpan, end: Int) {
    guard case .message(let part) = writtenFrames.last, part.isWhole, part.count <= Self.smallMessage,
      output.byteCount - Self.smallLengthSize >= end
    else { return }
    output.dropLastLength(part.stream, sequence: part.sequence, count: Int(part.count))
  }

  private static let smallMessage: UInt32 = 256
  /// A length up to that, at most.
  private static let smallLengthSize = 2

  /// A packet with less room left counts as full.
  private static let smallestGap = 64

  /// Whether congestion control and the pacer let messages out now.
  private func mayFill(now: Instant) -> Bool {
    pacedUntil = nil
    guard channels.checkForData() || owesCopies else {
      isApplicationLimited = true
      // What rides along with something else costs no wait.
      return sent.bytesInFlight < congestion.window && sent.hasRoom
    }
    guard sent.bytesInFlight < congestion.window, sent.hasRoom else {
      isApplicationLimited = false
      return false
    }
    pacedUntil = pacer.nextSend(
      size: mtu.current, window: congestion.window, isInSlowStart: congestion.isInSlowStart, rtt: rtt.smoothed,
      hasSample: rtt.hasSample, now: now)
    isApplicationLimited = pacedUntil == nil
    return pacedUntil == nil
  }

  /// A packet that is larger than any so far, to find out whether the path carries it.
  private func transmitMTUProbe(into output: inout OutputRawSpan, now: Instant) -> NetworkPath? {
    guard mayProbeMTU, let size = mtu.takeProbe(now: now, rtt: rtt.smoothed) else { return nil }
    let path = paths.active.path
    let packet = beginPacket(into: &output, size: size, mayShare: true)
    output.append(FrameType.ping)
    writtenFrames.append(.mtuProbe(size: size))
    output.append(repeating: FrameType.padding, count: packet.end - output.byteCount, as: UInt8.self)
    finishPacket(
      packet, into: &output, isAckEliciting: true, isPadded: true, isMTUProbe: true, remote: path.remote, now: now)
    return path
  }

  /// Only on a path that is known to work, and within the window.
  var mayProbeMTU: Bool {
    paths.active.isValidated && rtt.hasSample && !isOffline && !rest.isAny && probeCount == 0
      && sent.bytesInFlight < congestion.window && sent.hasRoom
  }

  /// When a probe of the path's size may leave.
  var mtuProbeTime: Instant? { mayProbeMTU ? mtu.nextTimeout : nil }

  /// Whether the next packet is to be padded (PROTOCOL §5.3, §5.5).
  private var owesPadding: Bool { news.move.isOwed || paths.active.challenge != nil }

  /// Smaller packets are not worth their overhead. It is below three times the smallest packet of a peer, a lone ping:
  /// else an address from which nothing but pings comes could never be challenged.
  var smallestPacket: Int {
    switch signingPolicy {
    case .everyPacket: 64 + SignatureTrailer.size(depth: 0)
    case .sealedOnly: 64
    }
  }

  /// Frames that something else waits for. Returns whether the packet is to be padded (PROTOCOL §5.3, §5.5:
  /// challenges and announcements).
  private func appendOwed(_ packet: PacketInProgress, into output: inout OutputRawSpan, now: Instant) -> Bool {
    var isPadded = appendMoves(packet, into: &output)
    if packet.end - output.byteCount >= Self.challengeSize,
      let data = paths.takeChallenge(now: now, interval: challengePause)
    {
      output.appendPathChallenge(data)
      writtenFrames.append(.ephemeral)
      isPadded = true
    }
    // Messages that arrived later would end a rest: its news follows what was sent before.
    if rest.owesFrame, !rest.isOurs || channels.isDelivered, packet.end - output.byteCount >= RestingFrame.maximumSize {
      rest.owesFrame = false
      output.appendResting(RestingFrame(sequence: rest.sequence, isResting: rest.isOurs))
      writtenFrames.append(.resting(sequence: rest.sequence))
    }
    // Who does not acknowledge what it is told must not make us remember ever more of it.
    if channels.owesControl, sent.hasRoom {
      channels.appendControl(&output, end: packet.end, frames: &writtenFrames)
    }
    return isPadded
  }

  private func appendMessages(_ packet: PacketInProgress, into output: inout OutputRawSpan, now: Instant) {
    let start = output.byteCount
    let room = packet.end - start
    let allowsNew = !isBundling(now: now)
    let ackReserve = received.hasUnreported ? min(16 + 4 * received.rangeCount, room / 4) : 0
    channels.fill(
      &output, room: room - ackReserve, fullRoom: packet.fullRoom, allowsNew: allowsNew, now: now,
      frames: &writtenFrames)
    // A message that needs the whole packet goes before an acknowledgement that can wait for the next.
    if output.byteCount == start, ackReserve > 0 {
      channels.fill(
        &output, room: room, fullRoom: packet.fullRoom, allowsNew: allowsNew, now: now, frames: &writtenFrames)
    }
    if output.byteCount > start, channels.hasCopyCandidates { eager.onNews(now: now) }
    tellOutcomes()
  }

  private func appendAck(room: Int, isAlone: Bool, into output: inout OutputRawSpan, now: Instant) {
    guard received.hasUnreported || received.isAckDue(now: now), let largest = received.largest else { return }
    let written = output.appendAck(
      room: room, delay: received.ackDelay(now: now), count: received.rangeCount, range: { received.range($0) })
    guard written else { return }
    writtenFrames.append(.ack(largest: largest))
    received.ackSent(isAlone: isAlone, now: now)
  }

  /// Packets that wait for their signature are sealed with the key that they were filled under.
  private func renewKeyIfDue(now: Instant) {
    guard isKeyRenewalDue(now: now), !context.pending.holds(self) else { return }
    keys.advance(keys.sending, keepPrevious: false)
    sendPhase.advance(now: now)
  }

  func isKeyRenewalDue(now: Instant) -> Bool { sendPhase.isDue(now: now, configuration: context.configuration) }
}
