import RoamkeyCrypto
import RoamkeyWire

/// The shell of each packet: header in front, then signature, seal and mask; and the record of what it held.
extension Session {
  /// A packet whose header stands in the output.
  struct PacketInProgress {
    let start: Int
    let headerSize: Int
    let numberSize: Int
    let number: UInt64
    /// Where its frames must end.
    let end: Int
    /// Bytes of header, trailer and tag.
    let overhead: Int
    /// The room for frames in a full packet.
    let fullRoom: Int
    /// Bytes of its trailer.
    let trailerSize: Int
    /// It has a place in the tree that is being built, and is signed and sealed with the others.
    let isShared: Bool

    /// Where its frames end at least: the mask is taken from behind them (PROTOCOL §3.3).
    var smallestEnd: Int { start + headerSize + 4 - numberSize }
  }

  /// - Parameters:
  ///   - id: of the peer; that of the active path where there is none.
  ///   - mayShare: whether it may be signed together with others. That takes more bytes, so an address that may be sent
  ///     only so many is spared.
  func beginPacket(
    into output: inout OutputRawSpan, size: Int, id: ConnectionID? = nil, mayShare: Bool = false
  ) -> PacketInProgress {
    writtenFrames.removeAll(keepingCapacity: true)
    let number = sent.nextPacketNumber
    let numberSize = PacketNumber.encodedLength(number, largestAcknowledged: sent.largestAcknowledged)
    let start = output.byteCount
    output.append((sendPhase.bit ? ShortHeader.phaseBit : 0) | UInt8(numberSize - 1))
    (id ?? peerIDs.active).withUnsafeBytes { output.append(contentsOf: $0) }
    for i in (0..<numberSize).reversed() { output.append(UInt8(truncatingIfNeeded: number >> (8 * UInt64(i)))) }
    let headerSize = output.byteCount - start
    let isSigned = signingPolicy == .everyPacket
    let isShared = isSigned && mayShare && paths.active.isValidated && context.pending.takesPackets
    let trailer = isSigned ? SignatureTrailer.size(depth: isShared ? context.pending.depth : 0) : 0
    let overhead = headerSize + trailer + ChaChaPoly.tagSize
    return PacketInProgress(
      start: start, headerSize: headerSize, numberSize: numberSize, number: number,
      end: start + headerSize + size - overhead, overhead: overhead,
      fullRoom: mtu.current - overhead, trailerSize: trailer, isShared: isShared)
  }

  /// Signs, seals and hides the packet, or leaves that to when its tree is complete; and records what was sent.
  func finishPacket(
    _ packet: PacketInProgress, into output: inout OutputRawSpan, isAckEliciting: Bool, isPadded: Bool,
    isMTUProbe: Bool = false, remote: NetworkAddress, now: Instant
  ) {
    let framesStart = packet.start + packet.headerSize
    while output.byteCount < packet.smallestEnd { output.append(FrameType.padding) }
    if packet.isShared {
      share(packet, framesStart: framesStart, into: &output)
    } else {
      if signingPolicy == .everyPacket { appendSignature(packet, framesStart: framesStart, into: &output) }
      output.append(repeating: 0, count: ChaChaPoly.tagSize, as: UInt8.self)
      output.withUnsafeMutableBytes { buffer, count in
        var datagram = MutableRawSpan(
          _unsafeBytes: UnsafeMutableRawBufferPointer(rebasing: buffer[packet.start..<count]))
        keys.protect(
          &datagram, headerSize: packet.headerSize, numberSize: packet.numberSize, number: packet.number)
      }
    }
    let size = output.byteCount - packet.start
    let number = sent.takePacketNumber()
    let isPatient = writtenFrames.allSatisfy(\.isPatient)
    sent.record(
      packetNumber: number, size: size, ackEliciting: isAckEliciting, isPatient: isPatient,
      inFlight: isAckEliciting || isPadded, isMTUProbe: isMTUProbe, now: now, frames: writtenFrames)
    sendPhase.onSent(number)
    counters.packetsSent += 1
    counters.bytesSent += UInt64(size)
    // That a larger packet than any so far is lost says nothing of the way.
    if isAckEliciting, !isMTUProbe {
      silence.onSent(
        answerDelay: isPatient ? context.configuration.longestAnswerDelay : .zero,
        beyondPromised: delayBeyondPromised(isPatient), now: now)
    }
    if isAckEliciting || isPadded {
      congestion.onSent(bytes: size)
      pacer.onSent(bytes: size, now: now)
      traps.onSent(bytes: size)
      if traps.isDue { layTrap(now: now) }
    }
    paths.onSent(size, to: remote)
  }

  /// Leaves out the number behind the packet that has just left. Not before the peer has acknowledged anything: what
  /// begins a session has no time for acknowledgements that are not needed.
  private func layTrap(now: Instant) {
    guard sent.largestAcknowledged != nil, sent.hasRoom else { return }
    sent.skipPacketNumber(now: now)
    traps.onLaid(session: handle.rawValue, key: context.trapKey)
  }

  // MARK: Signatures (PROTOCOL §4.1)

  /// A tree of one leaf: its root is the leaf.
  private func appendSignature(_ packet: PacketInProgress, framesStart: Int, into output: inout OutputRawSpan) {
    let leaf = leaf(of: packet, frames: output.bytes.extracting(framesStart..<output.byteCount))
    let signature = SignatureTrailer.withSignedBytes(depth: 0, root: leaf) { context.key.sign($0) }
    context.statistics.signatures += 1
    signature.withUnsafeBytes { output.append(contentsOf: $0) }
    output.append(0)
  }

  /// Takes a place in the tree, and leaves room for trailer and tag.
  private func share(_ packet: PacketInProgress, framesStart: Int, into output: inout OutputRawSpan) {
    context.pending.append(
      PendingPackets.Packet(
        session: self, headerSize: packet.headerSize, numberSize: packet.numberSize, number: packet.number,
        framesEnd: output.byteCount - packet.start),
      leaf: leaf(of: packet, frames: output.bytes.extracting(framesStart..<output.byteCount)))
    output.append(repeating: 0, count: packet.trailerSize + ChaChaPoly.tagSize, as: UInt8.self)
  }

  private func leaf(of packet: PacketInProgress, frames: RawSpan) -> Digest {
    keys.leaf(
      keys.sending, number: packet.number, frames: frames,
      blinder: keys.blinder(keys.sending, .current, number: packet.number))
  }
}
