import RoamkeyWire

// How a server follows a client (PROTOCOL §5.1 to §5.4):
//
//   newest packet from          announced (MOVED)            not announced
//   the active path             -                            its bytes count for its budget
//   the fallback                becomes active               becomes active: a reversal
//   elsewhere                   becomes active,              becomes active, and both are asked; after three
//                               and is asked                 reversals in a minute: a candidate, and both are asked
//
//   answers                     then
//   the active path             it is validated
//   the fallback                back to it, a reversal, once something authentic comes from there as well
//   the candidate               validated; it becomes active once the active path has failed to answer

/// An authentic packet, as far as it tells where the peer is.
struct PathArrival {
  var path: NetworkPath
  /// Bytes of the datagram.
  var size: Int
  /// It has the highest number of all non-probing ones.
  var isNewest: Bool
  /// The peer says in it that it has moved, for the first time.
  var isAnnounced = false
}

extension PathManager {
  /// So many reversals in so much time, and who moves without saying so has to prove it first.
  private static let reversalLimit = 3
  private static let reversalPeriod = Duration.seconds(60)
  /// Between two candidates: each costs both sides a padded packet.
  private static let doubtPause = Duration.seconds(1)

  // MARK: Packets

  /// Follows an authentic packet of a client.
  /// - Parameter number: where the random bytes of challenges come from.
  mutating func follow(
    _ packet: PathArrival, probeTimeout: Duration, now: Instant, random number: () -> UInt64
  ) -> Outcome {
    let remote = packet.path.remote
    if remote == active.path.remote {
      active.onReceived(packet.size)
      if packet.isNewest {
        active.path.local = packet.path.local
        candidate = nil
      }
      if packet.isAnnounced {
        // The news was overtaken by what came after it.
        fallback?.challenge = nil
        if active.isValidated { fallback = nil }
      }
      if !active.isValidated, active.challenge == nil {
        // It did not answer, and there is no other to go back to: as long as it is heard, it is asked again.
        active.challenge = Self.challenge(number(), probeTimeout: probeTimeout, now: now)
      }
      return .unchanged
    }
    if remote == candidate?.path.remote { candidate?.onReceived(packet.size) }
    guard packet.isNewest else { return .unchanged }
    if remote == fallback?.path.remote {
      if packet.isAnnounced { return goBack(local: packet.path.local) }
      return reverse(local: packet.path.local, now: now)
    }
    if !packet.isAnnounced, isTossed(now: now) {
      return doubt(packet, probeTimeout: probeTimeout, now: now, random: number)
    }
    return leave(for: packet, probeTimeout: probeTimeout, now: now, random: number)
  }

  /// The session goes where the packet came from.
  private mutating func leave(
    for packet: PathArrival, probeTimeout: Duration, now: Instant, random number: () -> UInt64
  ) -> Outcome {
    let from = active.path.remote
    if active.isValidated { fallback = active }
    // Who says that it moves has left the old path; else that one is asked as well, since somebody may merely have
    // forwarded the packet.
    fallback?.hasAnswered = false
    fallback?.challenge =
      packet.isAnnounced ? nil : Self.challenge(number(), probeTimeout: probeTimeout, now: now)
    candidate = nil
    active = PathState(packet.path, isValidated: false)
    active.onReceived(packet.size)
    active.challenge = Self.challenge(number(), probeTimeout: probeTimeout, now: now)
    return Outcome(change: Change(from: from, to: packet.path.remote))
  }

  // MARK: Back and forth

  private func isTossed(now: Instant) -> Bool {
    reversals.count >= Self.reversalLimit && now - reversals[0] <= Self.reversalPeriod
  }

  /// The old path is the right one after all, and somebody has misled us.
  private mutating func reverse(local: NetworkAddress? = nil, now: Instant) -> Outcome {
    reversals.append(now)
    if reversals.count > Self.reversalLimit { reversals.removeFirst() }
    return goBack(local: local)
  }

  private mutating func goBack(local: NetworkAddress? = nil) -> Outcome {
    guard let fallback else { return .unchanged }
    let from = active.path.remote
    active = fallback
    active.challenge = nil
    active.hasAnswered = false
    if let local { active.path.local = local }
    self.fallback = nil
    candidate = nil
    return Outcome(change: Change(from: from, to: active.path.remote), roamed: announce())
  }

  /// Stays, and asks both: one candidate at a time, and not again at once.
  private mutating func doubt(
    _ packet: PathArrival, probeTimeout: Duration, now: Instant, random number: () -> UInt64
  ) -> Outcome {
    guard candidate == nil, now >= nextDoubt ?? now else { return .unchanged }
    nextDoubt = now + Self.doubtPause
    var path = PathState(packet.path, isValidated: false)
    path.onReceived(packet.size)
    path.challenge = Self.challenge(number(), probeTimeout: probeTimeout, now: now)
    candidate = path
    isActiveSilent = false
    active.challenge = active.challenge ?? Self.challenge(number(), probeTimeout: probeTimeout, now: now)
    return .unchanged
  }

  /// The candidate takes over once the active path has failed and it has proven itself.
  private mutating func takeCandidate() -> Outcome {
    guard let candidate, candidate.isValidated, isActiveSilent else { return .unchanged }
    return move(to: candidate.path, isValidated: true)
  }

  // MARK: Answers

  /// A PATH_RESPONSE, by whatever path: it validates the challenged address only.
  /// - Parameter from: where the answer came from.
  mutating func onResponse(_ data: UInt64, from: NetworkAddress, now: Instant) -> Outcome {
    if active.challenge?.data == data {
      active.challenge = nil
      candidate = nil
      // If not, it was only doubted.
      guard !active.isValidated else { return .unchanged }
      active.isValidated = true
      if fallback?.challenge == nil { fallback = nil }
      return Outcome(roamed: announce())
    }
    if fallback?.challenge?.data == data {
      // It receives there. That alone is no reason: a router that a player has left without knowing may let packets in
      // for a while, though none come out any more.
      fallback?.challenge?.triesLeft = 0
      fallback?.hasAnswered = true
      if from == fallback?.path.remote { return reverse(now: now) }
    }
    if candidate?.challenge?.data == data {
      candidate?.challenge = nil
      candidate?.isValidated = true
      return takeCandidate()
    }
    return .unchanged
  }

  /// Whether an authentic packet that was seen before would tell something, if it came from there.
  func mattersAgain(from remote: NetworkAddress) -> Bool {
    fallback?.path.remote == remote && fallback?.challenge != nil
  }

  /// An authentic packet, seen before, has come from the fallback's address: somebody is faster than the peer with the
  /// peer's own packets. It counts once the peer has said that it receives there, since addresses can be forged.
  mutating func onDuplicate(from remote: NetworkAddress, now: Instant) -> Outcome {
    guard let fallback, fallback.path.remote == remote, fallback.hasAnswered else { return .unchanged }
    return reverse(now: now)
  }

  /// A PATH_DROP: the peer has left the path that was challenged.
  mutating func onDrop(_ data: UInt64) -> Outcome {
    if fallback?.challenge?.data == data {
      fallback = nil
    } else if candidate?.challenge?.data == data {
      candidate = nil
    } else if active.challenge?.data == data {
      return onActiveFailed()
    }
    return .unchanged
  }

  /// Gives up on addresses that do not answer.
  mutating func handleTimeout(now: Instant) -> Outcome {
    if let challenge = fallback?.challenge, now >= challenge.deadline { fallback = nil }
    if let challenge = candidate?.challenge, now >= challenge.deadline { candidate = nil }
    guard let challenge = active.challenge, now >= challenge.deadline else { return .unchanged }
    return onActiveFailed()
  }

  private mutating func onActiveFailed() -> Outcome {
    active.challenge = nil
    isActiveSilent = true
    let outcome = takeCandidate()
    if outcome != .unchanged || active.isValidated { return outcome }
    return goBack()
  }
}
