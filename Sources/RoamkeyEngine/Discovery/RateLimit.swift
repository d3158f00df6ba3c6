/// So many at once, and so many each second: a token bucket, kept as the one moment at which it is full again.
struct RateLimit: Sendable {
  /// How many in a row.
  let burst: Int
  /// Between two, in the long run.
  let interval: Duration
  private var full = Instant(nanoseconds: .min)

  init(burst: Int, perSecond: Int) {
    self.burst = burst
    interval = .seconds(1) / perSecond
  }

  /// Takes one.
  /// - Returns: false when there is none.
  mutating func take(at now: Instant) -> Bool {
    let next = max(full, now) + interval
    guard next - now <= interval * burst else { return false }
    full = next
    return true
  }

  /// Whether it has forgotten everything.
  func isFull(at now: Instant) -> Bool { full <= now }
}

/// The same for each of many sources.
struct SourceLimits: Sendable {
  /// Sources that are remembered: 10 KiB.
  static let most = 256

  private let fresh: RateLimit
  private var limits: [UInt128: RateLimit] = [:]

  init(_ limit: RateLimit) { fresh = limit }

  /// Takes one from the source's; a stranger whom nobody has room for has none.
  mutating func take(_ ip: UInt128, at now: Instant) -> Bool {
    if limits[ip] == nil {
      if limits.count >= Self.most { limits = limits.filter { !$0.value.isFull(at: now) } }
      guard limits.count < Self.most else { return false }
    }
    return limits[ip, default: fresh].take(at: now)
  }
}
