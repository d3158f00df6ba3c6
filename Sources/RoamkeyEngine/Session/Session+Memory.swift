/// What a session needs not keep: thousands of them may have nothing to do.
extension Session {
  // The endpoint's, for the time of one call.

  var ackedFrames: [SentFrame] {
    get { context.ackedFrames }
    _modify { yield &context.ackedFrames }
  }

  var lostFrames: [SentFrame] {
    get { context.lostFrames }
    _modify { yield &context.lostFrames }
  }

  var suspectFrames: [SentFrame] {
    get { context.suspectFrames }
    _modify { yield &context.suspectFrames }
  }

  var writtenFrames: [SentFrame] {
    get { context.writtenFrames }
    _modify { yield &context.writtenFrames }
  }

  /// So long after the last message a session counts as idle: less than the pause before the first PING, with which, or
  /// whose acknowledgement, the memory goes.
  private static let idleTime = Duration.seconds(4)

  /// Gives back the room that traffic took, once all of it is settled.
  func releaseMemoryIfIdle(now: Instant) {
    guard now - lastTraffic >= Self.idleTime, channels.isDelivered, sent.isSettled else { return }
    sent.releaseMemory()
    window.releaseMemory()
    verifier.releaseMemory()
  }
}
