import RoamkeyWire

/// The connection ids of sessions: given out, forgotten, and answered for when nobody has them (PROTOCOL §5.9, §6).
extension ServerEndpoint {
  /// An id that nobody has.
  func unusedID() -> UInt64 {
    var id = context.entropy.number()
    while !mayIssue(id) || sessionsByConnectionID[id] != nil || halfOpen.find(connectionID: id) != nil {
      id = context.entropy.number()
    }
    return id
  }

  /// What we shall say of an id when we know it no more; nil in the sessions of vectors, which have no tokens.
  func resetToken(of id: ConnectionID) -> UInt128? { settings.announcesLimits ? resetKey.token(of: id) : nil }

  /// Sees to it that a session's client has ids to move with.
  func issueIDs(to session: Session) {
    guard session.issuedIDs.wantsMore, session.isOpen, session.isAnnounced else { return }
    while session.issuedIDs.wantsMore {
      let key = unusedID()
      guard let token = resetToken(of: ConnectionID(key)) else { return }
      session.issuedIDs.issue(ConnectionID(key), token: token)
      sessionsByConnectionID[key] = session
    }
  }

  /// Forgets ids that the client has retired some time ago.
  func forgetRetiredIDs(of session: Session, now: Instant) {
    for id in session.issuedIDs.takeExpired(now: now) {
      if let key = id.routingKey { sessionsByConnectionID[key] = nil }
    }
  }

  /// Forgets all ids of a session that has ended. Of one that was closed they are still known as such: who was put out
  /// is not to be told that the server has begun anew. Who was merely not heard for too long may come back.
  func forgetIDs(of session: Session) {
    for id in session.issuedIDs.all { if let key = id.routingKey { sessionsByConnectionID[key] = nil } }
    guard !session.roaming.isMissed else { return }
    for id in session.issuedIDs.inUse { if let key = id.routingKey { resets.bury(key) } }
  }

  // MARK: Resets

  /// Tells whoever sent a packet of a session that we do not know, so that it need not wait.
  func reset(_ id: UInt64, _ size: Int, path: NetworkPath, now: Instant) {
    // A quiet server answers nobody who has not shown that they know it (PROTOCOL §1.6).
    guard !context.configuration.isQuiet, size >= ResetDatagram.minimumCause, resets.allows(id, now: now),
      let token = resetToken(of: ConnectionID(id))
    else { return }
    var random: [UInt8] = []
    for _ in 0..<4 { random.append(bigEndian: context.entropy.number()) }
    random.removeLast(random.count - (ResetDatagram.size - ResetDatagram.tokenSize))
    if reply(ResetDatagram.write(random: random, token: token), to: path) { context.statistics.resetsSent += 1 }
  }
}

/// How often strangers are told that they are strangers, and who is not told.
struct ResetLimiter {
  /// Ids of sessions that ended here, the oldest forgotten first.
  private var buried: [UInt64] = []
  private var isBuried: Set<UInt64> = []
  private var oldest = 0
  /// Enough for a thousand players to come back within seconds, and little for a reflector: 43 bytes each, always less
  /// than what asked.
  private var limit = RateLimit(burst: 1000, perSecond: 1000)
  /// Some minutes of players who come and go; 16 bytes each, and a little.
  private static let buriedLimit = 4096

  /// A session ended, and its id means nothing any more.
  mutating func bury(_ id: UInt64) {
    guard isBuried.insert(id).inserted else { return }
    if buried.count < Self.buriedLimit {
      buried.append(id)
    } else {
      isBuried.remove(buried[oldest])
      buried[oldest] = id
      oldest = (oldest + 1) % Self.buriedLimit
    }
  }

  mutating func allows(_ id: UInt64, now: Instant) -> Bool {
    !isBuried.contains(id) && limit.take(at: now)
  }
}
