import RoamkeyWire

extension Session {
  /// How often CLOSE is sent, and for how many probe timeouts a closing session stays (RFC 9000 §10.2).
  private static let closeTries = 3
  private static let closePatience = 3

  /// Ends the session; what was queued is not delivered any more. The app is told at once.
  func close(_ code: CloseCode, reason: String, now: Instant) {
    end(code, reason: reason, event: EndReason(code, reason: reason), now: now)
  }

  /// Ends the session because the peer broke the protocol.
  func fail(_ code: CloseCode, now: Instant) {
    end(code, reason: "", event: .violation(code: code.rawValue), now: now)
  }

  /// Ends a session that may never have begun, as for a newcomer who is turned away.
  private func end(_ code: CloseCode, reason: String, event: EndReason, now: Instant) {
    guard isOpen else { return }
    let bytes = CloseFrame.reason(from: reason)
    state = .closing(
      Closing(
        code: code, reason: bytes, triesLeft: Self.closeTries, nextTry: now,
        deadline: now + probeTimeout * Self.closePatience))
    if isAnnounced {
      context.events.append(.left(handle, event))
    } else if !followsPeer {
      // A client whose server has not confirmed it yet; who is turned away by a server was never there for its app.
      context.events.append(.connectFailed(code == .done ? .closed : .noAnswer))
    }
  }

  /// Nothing was heard for too long: nobody is there to be told.
  func timeOut() {
    state = .ended
    roaming.isMissed = true
    if isAnnounced {
      context.events.append(.left(handle, .timedOut))
    } else if !followsPeer {
      // A client whose limit for silence is shorter than that for the handshake.
      context.events.append(.connectFailed(.noAnswer))
    }
  }

  /// Ends a session that was closed without telling the peer any more.
  func forget() { if !isOpen { state = .ended } }

  // MARK: The peer's word

  /// A CLOSE in an open session.
  func handle(_ frame: CloseFrame, _ payload: RawSpan, now: Instant) {
    let reason = payload.extracting(frame.reason).text.map(DisplayText.clean) ?? ""
    state = .draining(until: now + probeTimeout * Self.closePatience)
    closeEchoesLeft = 1
    if isAnnounced {
      context.events.append(.left(handle, EndReason(frame.code, reason: reason)))
    } else if let refusal = Refusal(frame.code) {
      context.events.append(.connectFailed(.refused(refusal)))
    } else {
      context.events.append(.connectFailed(.noAnswer))
    }
  }

  /// A packet while we are closing: its CLOSE ends the wait. Anything else was sent before ours arrived, and is not
  /// answered: ours is repeated by its own timer, whatever comes in.
  ///
  /// - Parameters:
  ///   - path: where it came from. A client that moves meanwhile is told where it is now, within three times what came
  ///     from there.
  ///   - isNewest: it has the highest number so far.
  func receiveWhileClosing(_ frames: RawSpan, path: NetworkPath, size: Int, isNewest: Bool) {
    if followsPeer, isNewest, path.remote != peerAddress {
      roaming.closesElsewhere = .init(
        answer: .drop, data: 0, path: path, budget: size * PathState.amplificationFactor)
    }
    var position = 0
    while position < frames.byteCount, let frame = try? Frame.read(frames, at: &position) {
      if case .close = frame {
        state = .ended
        return
      }
    }
  }

  /// A packet after the peer's CLOSE: it did not get our answer, most likely.
  func receiveWhileDraining() {
    context.statistics.count(.ended)
    if closeEchoCount < Self.closeTries { closeEchoesLeft = 1 }
  }

  // MARK: Output

  func transmitClose(into output: inout OutputRawSpan, now: Instant) -> NetworkPath? {
    if case .closing(let closing) = state, let elsewhere = roaming.closesElsewhere {
      roaming.closesElsewhere = nil
      return transmitClose(
        closing.code, reason: closing.reason, by: elsewhere.path, budget: elsewhere.budget, into: &output, now: now)
    }
    guard case .closing(var closing) = state, closing.triesLeft > 0, now >= closing.nextTry else { return nil }
    closing.triesLeft -= 1
    closing.nextTry = now + probeTimeout
    state = .closing(closing)
    return transmitClose(
      closing.code, reason: closing.reason, by: paths.active.path, budget: paths.budget, into: &output, now: now)
  }

  /// The answer to the peer's CLOSE, so that it need not wait.
  func transmitCloseEcho(into output: inout OutputRawSpan, now: Instant) -> NetworkPath? {
    guard closeEchoesLeft > 0 else { return nil }
    closeEchoesLeft -= 1
    closeEchoCount += 1
    return transmitClose(
      .done, reason: [], by: paths.active.path, budget: paths.budget, into: &output, now: now)
  }

  private func transmitClose(
    _ code: CloseCode, reason: [UInt8], by path: NetworkPath, budget: Int, into output: inout OutputRawSpan,
    now: Instant
  ) -> NetworkPath? {
    let packet = beginPacket(
      into: &output, size: context.configuration.packetSize, mayShare: path == paths.active.path)
    guard budget >= packet.overhead + reason.count + 16 else {
      output.removeLast(output.byteCount - packet.start)
      return nil
    }
    output.appendClose(code, reason: reason)
    finishPacket(packet, into: &output, isAckEliciting: false, isPadded: false, remote: path.remote, now: now)
    return path
  }
}

extension EndReason {
  /// What a close code means to the app.
  init(_ code: CloseCode, reason: String) {
    switch code {
    case .done: self = .closed
    case .kicked: self = .kicked(reason)
    case .replaced: self = .replaced
    case .shutdown: self = .shutdown
    case .tooSlow: self = .tooSlow
    default: self = .violation(code: code.rawValue)
    }
  }
}

extension Refusal {
  init?(_ code: CloseCode) {
    switch code {
    case .wrongApplication: self = .wrongApplication
    case .wrongSigningPolicy: self = .wrongSigningPolicy
    case .notAllowed: self = .notAllowed
    case .banned: self = .banned
    case .full: self = .full
    default: return nil
    }
  }

  var code: CloseCode {
    switch self {
    case .wrongApplication: .wrongApplication
    case .wrongSigningPolicy: .wrongSigningPolicy
    case .notAllowed: .notAllowed
    case .banned: .banned
    case .full: .full
    }
  }
}
