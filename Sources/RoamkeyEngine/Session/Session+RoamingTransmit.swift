import RoamkeyWire

/// What leaves on behalf of moves: answers and challenges in packets of their own, news in those of the active path.
extension Session {
  /// An answer to a path challenge, on the way the challenge came.
  func transmitResponse(into output: inout OutputRawSpan, now: Instant) -> NetworkPath? {
    while let response = paths.takeResponse() {
      let packet = beginPacket(into: &output, size: context.configuration.packetSize, id: id(for: response.path))
      guard paths.budget(of: response) >= packet.overhead + 16 else {
        output.removeLast(output.byteCount - packet.start)
        continue
      }
      switch response.answer {
      case .response: output.appendPathResponse(response.data)
      case .drop: output.appendPathDrop(response.data)
      }
      finishProbing(packet, into: &output, remote: response.path.remote, now: now)
      return response.path
    }
    return nil
  }

  /// A challenge to another path than the active one.
  func transmitChallenge(into output: inout OutputRawSpan, now: Instant) -> NetworkPath? {
    guard let (challenge, isPadded) = takeOtherChallenge(now: now) else { return nil }
    let base = context.configuration.packetSize
    let packet = beginPacket(into: &output, size: min(base, challenge.budget), id: id(for: challenge.path))
    guard packet.end - output.byteCount >= Self.challengeSize else {
      output.removeLast(output.byteCount - packet.start)
      return nil
    }
    output.appendPathChallenge(challenge.data)
    let least = packet.start + packet.headerSize + ResetDatagram.minimumCause - packet.overhead
    let end = isPadded && challenge.budget >= base ? packet.end : min(least, packet.end)
    if output.byteCount < end {
      output.append(repeating: FrameType.padding, count: end - output.byteCount, as: UInt8.self)
    }
    finishProbing(packet, into: &output, remote: challenge.path.remote, now: now)
    return challenge.path
  }

  static let challengeSize = 1 + 8

  private func takeOtherChallenge(now: Instant) -> (PathManager.Challenge, isPadded: Bool)? {
    if followsPeer {
      return paths.takeOtherChallenge(now: now, interval: challengePause).map { ($0, true) }
    }
    // Not padded: nobody has shown yet that they want it.
    return search.takeChallenge(now: now, interval: challengePause).map { ($0, false) }
  }

  /// What asks or answers on another path says nothing of the one in use when it is lost: it counts as in flight for
  /// nobody, and has timers of its own.
  private func finishProbing(
    _ packet: PacketInProgress, into output: inout OutputRawSpan, remote: NetworkAddress, now: Instant
  ) {
    writtenFrames.append(.ephemeral)
    finishPacket(packet, into: &output, isAckEliciting: false, isPadded: false, remote: remote, now: now)
  }

  /// The connection id for packets on a path: one that was not seen on another way, if there is one.
  private func id(for path: NetworkPath) -> ConnectionID {
    let way = PeerConnectionIDs.Way(path)
    if followsPeer || way == .init(paths.active.path) { return peerIDs.active }
    // What reached the main socket by its address belongs to it.
    if paths.active.path.local.port == 0, path.local.port == roaming.socketPort { return peerIDs.active }
    return peerIDs.id(asking: way)
  }

  // MARK: News

  /// Moves, addresses and ids. Returns whether the packet is to be padded: moves are, so that the peer may answer at
  /// length before it knows the address.
  func appendMoves(_ packet: PacketInProgress, into output: inout OutputRawSpan) -> Bool {
    func fits(_ size: Int) -> Bool { packet.end - output.byteCount >= size }
    var isPadded = false
    if news.move.isOwed, fits(Self.numberedSize) {
      news.move.isOwed = false
      output.appendMoved(epoch: news.move.sequence)
      writtenFrames.append(.moved(epoch: news.move.sequence))
      isPadded = true
    }
    if news.observation.isOwed, fits(ObservedAddressFrame.maximumSize) {
      news.observation.isOwed = false
      let sequence = news.observation.sequence
      // Where it was last shown to be: this may be said again while it moves on.
      output.appendObservedAddress(ObservedAddressFrame(sequence: sequence, address: paths.announced))
      writtenFrames.append(.observedAddress(sequence: sequence))
    }
    // What follows can wait until the peer is known to be there, and must not make us remember ever more.
    guard paths.active.isValidated, sent.hasRoom else { return isPadded }
    if news.list.isOwed, fits(AddressesFrame.maximumSize(count: roaming.addresses.count)) {
      news.list.isOwed = false
      output.appendAddresses(sequence: news.list.sequence, roaming.addresses)
      writtenFrames.append(.addresses(sequence: news.list.sequence))
    }
    while peerIDs.owesFrame, fits(Self.numberedSize), let frame = peerIDs.appendFrame(to: &output) {
      writtenFrames.append(frame)
    }
    while issuedIDs.owesFrame, fits(NewConnectionIDFrame.maximumSize), let frame = issuedIDs.appendFrame(to: &output) {
      writtenFrames.append(frame)
    }
    return isPadded
  }

  /// A type and a variable-length integer.
  private static let numberedSize = 1 + 8
}
