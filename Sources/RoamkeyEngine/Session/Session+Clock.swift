import RoamkeyWire

/// The comparison of clocks (PROTOCOL §10.7).
extension Session {
  /// How long after the last message clocks are still compared for their own sake.
  private static let interest = Duration.seconds(1)

  /// Before the first message nobody asks for an age: what the packets after the handshake have taken along will do,
  /// and a crowd that comes in at once costs a third of the datagrams.
  private var clockActiveUntil: Instant {
    hasTraffic ? min(lastTraffic + Self.interest, keepAlive.activeUntil) : .distantPast
  }

  /// When a question about the peer's clock leaves by itself.
  var clockTime: Instant? {
    // First: what follows would else work on a copy of all that is known of the clock.
    let end = clockActiveUntil
    return peerClock.nextRequest(activeUntil: end)
  }

  /// Whether a packet should leave for it now.
  func isClockDue(now: Instant) -> Bool { peerClock.owesAnswer || clockTime.map { $0 <= now } ?? false }

  /// Answers and asks, as far as there is room.
  /// - Parameter isAlone: nothing else is in the packet yet.
  func appendClock(_ packet: PacketInProgress, isAlone: Bool, into output: inout OutputRawSpan, now: Instant) {
    var isAlone = isAlone
    if peerClock.owesAnswer, packet.end - output.byteCount >= TimeResponseFrame.maximumSize,
      let answer = peerClock.takeAnswer(now: now)
    {
      output.appendTimeResponse(
        TimeResponseFrame(echo: answer.echo, received: answer.received, delay: answer.delay))
      isAlone = false
    }
    // Who rests asks nothing, not even beside an acknowledgement.
    let end = clockActiveUntil
    let activeUntil = isAlone || rest.isAny ? end : .distantFuture
    if packet.end - output.byteCount >= Self.timeRequestSize,
      let time = peerClock.takeRequest(now: now, activeUntil: activeUntil, isIdle: end <= now)
    {
      output.appendTimeRequest(time)
    }
  }

  private static let timeRequestSize = 1 + 8

  /// When a message was sent that says so with `time`, on our clock, and how far that may be off.
  func sendingTime(_ time: UInt32?, now: Instant) -> (at: Instant, error: Duration?) {
    guard let time, let sentAt = peerClock.localInstant(ofPeer24: time, now: now) else {
      return (now - rtt.smoothed / 2, nil)
    }
    // The time was rounded down to a millisecond.
    return (sentAt, peerClock.errorBound(at: sentAt).map { $0 + .milliseconds(1) })
  }
}
