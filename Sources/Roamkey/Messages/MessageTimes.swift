package import RoamkeyEngine

/// When a message was sent and received, on this machine's clock.
struct MessageTimes: Sendable, Hashable {
  var sentAt: Instant
  var receivedAt: Instant
  /// How far `sentAt` may be off; nil while the clocks have not been compared.
  var error: Duration?
}

/// The time as a game is told it: `SuspendingClock.now` over sockets, virtual time on a simulated network.
public typealias GameTime = SuspendingClock.Instant

extension SuspendingClock.Instant {
  /// The same moment: on Linux both count from the start of CLOCK_MONOTONIC.
  package init(_ instant: Instant) {
    self = SuspendingClock().systemEpoch.advanced(by: .nanoseconds(instant.nanoseconds))
  }
}

extension Message {
  /// The longest age that is passed on: what 24 bits of milliseconds can tell goes round after 4 h 39 min, and half of
  /// that leaves no doubt.
  static let longestToldAge: Duration = .seconds(2 * 3600)

  /// When it was sent, on this machine's clock and as far as can be told: see ``ageError``. What a server passes on
  /// keeps the time of the player who wrote it. In a message that was not received: now.
  public var sentAt: SuspendingClock.Instant { times.map { SuspendingClock.Instant($0.sentAt) } ?? .now }

  /// How long ago it was sent; never negative, and zero in a message that was not received.
  public var age: Duration { age(at: .now) }

  /// How old it is at a moment that the caller names: for a game whose time is an argument. Never negative, and zero
  /// in a message that was not received.
  public func age(at now: SuspendingClock.Instant) -> Duration {
    guard let times else { return .zero }
    return max(.zero, SuspendingClock.Instant(times.sentAt).duration(to: now))
  }

  /// How old it was when it arrived; never negative, and zero in a message that was not received.
  public var ageOnArrival: Duration {
    guard let times else { return .zero }
    return max(.zero, times.receivedAt - times.sentAt)
  }

  /// How far ``sentAt`` and the ages may be off; nil while the clocks of both sides have not been compared: they are a
  /// guess from the round trip then. Zero in a message that was not received.
  ///
  /// What a server has passed on is off by what the server did not know, too, which is not counted here.
  public var ageError: Duration? {
    guard let times else { return .zero }
    return times.error
  }

  /// When it was sent, for a server that passes it on; nil where that cannot be told any more.
  func originalTime(at now: Instant) -> Instant? {
    guard let times else { return now }
    return now - times.sentAt <= Self.longestToldAge ? times.sentAt : nil
  }
}
