import RoamkeyWire

/// What both apps have said about resting (PROTOCOL §11.1).
struct Rest {
  /// Whether our app rests, and the number of that news.
  var isOurs = false
  var sequence: UInt64 = 0
  /// The news is to be told.
  var owesFrame = false
  /// Whether the peer's app rests, and the newest news of it.
  var isPeers = false
  var peerSequence: UInt64 = 0

  var isAny: Bool { isOurs || isPeers }

  mutating func set(_ isResting: Bool) {
    guard isResting != isOurs else { return }
    isOurs = isResting
    sequence += 1
    owesFrame = true
  }
}

extension Session {
  /// The app says that its player rests, or does no more.
  func setResting(_ isResting: Bool, now: Instant) {
    guard isOpen else { return }
    rest.set(isResting)
    applyRest(now: now)
  }

  /// The peer's word for it. A late one says nothing.
  func handle(_ frame: RestingFrame, now: Instant) {
    guard frame.sequence > rest.peerSequence else { return }
    rest.peerSequence = frame.sequence
    rest.isPeers = frame.isResting
    applyRest(now: now)
  }

  private func applyRest(now: Instant) {
    if rest.isAny { keepAlive.rest(now: now) } else { keepAlive.wake(now: now) }
  }

  /// A message was sent or received: nobody rests any more. Who had said so takes it back, lest an old frame that is
  /// sent again says it once more.
  func noteTraffic(now: Instant) {
    if !hasTraffic {
      hasTraffic = true
      peerClock.waitForCompany(now: now)
    }
    // Many messages come at once.
    guard lastTraffic != now || rest.isAny else { return }
    lastTraffic = now
    rest.isPeers = false
    rest.set(false)
    keepAlive.onAppTraffic(now: now)
  }
}
