internal import Glibc
internal import RoamkeyEngine

/// Lets datagrams of many players gather for a moment, where they come one by one: each turn of the loop costs system
/// calls and a wake-up of the app's thread, whatever it brings.
///
/// As a network card does with its interrupts. Nothing waits where there are few players, where turns are rare, or
/// where they bring many datagrams anyway.
struct TurnPacing {
  /// What a datagram waits at most. A game's tick is some thirty times as long.
  static let pause = Duration.microseconds(500)
  /// Turns that follow each other closer than this are frequent.
  private static let frequent = Duration.milliseconds(1)
  /// A turn with so many datagrams is worth what it costs.
  private static let enough = 16

  private var lastTurn = Instant(nanoseconds: .min)

  /// How long to wait after a turn that began at `now`; nil for not at all.
  /// - Parameter count: datagrams that it brought.
  mutating func pause(after count: Int, now: Instant, hasManyPeers: Bool) -> Duration? {
    let isFrequent = lastTurn.nanoseconds != .min && now - lastTurn < Self.frequent
    lastTurn = now
    return hasManyPeers && isFrequent && count > 0 && count < Self.enough ? Self.pause : nil
  }

  /// Sleeps, whatever arrives; at most a second.
  static func sleep(_ duration: Duration) {
    var time = timespec(tv_sec: 0, tv_nsec: Int(min(duration, .milliseconds(999)) / .nanoseconds(1)))
    nanosleep(&time, nil)
  }
}
