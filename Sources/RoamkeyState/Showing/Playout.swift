internal import Roamkey

/// How far behind the present a subscriber shows states, so that there is nearly always a later one to go towards.
public enum PlayoutDelay: Sendable, Hashable {
  /// By itself: as old as states are when they arrive, and two intervals between states besides. It changes slowly.
  case automatic
  /// Always the same, counted from when a state was sent.
  case fixed(Duration)
}

/// When what is shown: nothing of states, only times.
struct Playout {
  let mode: PlayoutDelay
  private(set) var delay: Duration
  /// How old states are when they arrive; the most of late, since a state that is late is one that is missing.
  private var age: Double?
  private var interval: Double?
  private var last: (frame: UInt64, sentAt: GameTime)?
  private var lastShown: GameTime?
  private var lastNow: GameTime?

  /// A peak of age is forgotten by this share with each state.
  private static let forgetting = 1.0 / 128
  private static let smoothing = 1.0 / 8
  /// Time is shown at most so much faster or slower than it passes.
  private static let bend = 0.1
  /// More would be of no use to anybody.
  static let longestDelay: Duration = .seconds(2)

  init(_ mode: PlayoutDelay) {
    self.mode = mode
    switch mode {
    case .automatic: delay = .zero
    case .fixed(let fixed): delay = max(.zero, fixed)
    }
  }

  /// States that are older than this are not shown any more.
  var longest: Duration { max(delay, Self.longestDelay) }

  /// A state has arrived.
  mutating func arrived(_ frame: UInt64, sentAt: GameTime, age: Duration) {
    let seconds = age.inSeconds
    self.age = self.age.map { max(seconds, $0 - ($0 - seconds) * Self.forgetting) } ?? seconds
    if let last, frame > last.frame, sentAt > last.sentAt {
      let passed = last.sentAt.duration(to: sentAt).inSeconds / Double(frame - last.frame)
      interval = interval.map { $0 + (passed - $0) * Self.smoothing } ?? passed
    }
    last = (frame, sentAt)
    if lastNow == nil, mode == .automatic { delay = wanted }
  }

  private var wanted: Duration {
    min(.seconds((age ?? 0) + 2 * (interval ?? 0)), Self.longestDelay)
  }

  /// The time, by the clock of `sentAt`, that is shown at `now`. It never goes back.
  mutating func shown(at now: GameTime) -> GameTime {
    if mode == .automatic {
      let passed = lastNow.map { max(.zero, $0.duration(to: now)) } ?? .zero
      let room = Duration.seconds(passed.inSeconds * Self.bend)
      delay += min(max(wanted - delay, .zero - room), room)
    }
    lastNow = max(now, lastNow ?? now)
    let shown = max(now - delay, lastShown ?? now - delay)
    lastShown = shown
    return shown
  }

  /// The states come from another publisher: its frames count anew.
  mutating func beginAnew() { last = nil }
}

extension Duration {
  var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
