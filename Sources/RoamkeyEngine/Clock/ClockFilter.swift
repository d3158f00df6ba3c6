/// What the peer's clock shows, from samples: that of the lowest round trip counts, as in NTP's clock filter
/// (RFC 5905 §10), and the clocks' difference in speed is taken from samples far apart.
///
/// All bounds are hard: as long as the two clocks run steadily and differ by at most `ClockRate.maximum`, what the
/// peer's clock shows lies within `error(at:)` of `reading(at:)`, however uneven the way there and the way back are.
struct ClockFilter: Sendable {
  enum Verdict: Sendable, Equatable {
    case accepted
    /// It contradicts the estimate, and is left out.
    case doubted
    /// The second in a row that contradicts it: one of the clocks has been suspended, stopped or started again. All
    /// that was known is forgotten but for this sample.
    case startedAnew
  }

  /// The best sample of each stretch of time is kept, for the speed: 8 stretches of 64 s. They need their length: with
  /// round trips of 50 ms, samples 448 s apart give the speed to within 50 ms / 448 s = 112 ppm, 30 s apart to nothing.
  private var samples: [ClockSample] = []
  private static let stretchLength: UInt64 = 64_000_000
  private static let stretchCount: UInt64 = 8
  /// Samples that are compared for the speed are at least this far apart.
  private static let shortestBaseline: Int64 = 30_000_000
  /// However well the speed was measured, that is how far it may change: a clock warms up, and is bent by NTP.
  private static let wander = ClockRate(partsPerBillion: 200_000)
  private static let contradictionsToStartAnew = 2

  /// The sample that counts.
  private var best: ClockSample?
  /// How much faster the peer's clock runs; zero until it is known.
  private(set) var skew = ClockRate.zero
  /// How far off `skew` may be: by this much of its age does a sample's error grow.
  private(set) var skewError = ClockRate.maximum
  private(set) var isSkewKnown = false
  private var contradictions = 0

  var hasSample: Bool { best != nil }

  /// What the peer's clock shows when ours shows `local`; nil before the first sample.
  @inline(__always)
  func reading(at local: UInt64) -> UInt64? {
    guard let best else { return nil }
    let elapsed = Int64(bitPattern: local &- best.local)
    return best.peer &+ UInt64(bitPattern: elapsed &+ skew.gain(over: elapsed))
  }

  /// How far off `reading(at:)` may be, in microseconds.
  @inline(__always)
  func error(at local: UInt64) -> Int64? {
    guard let best else { return nil }
    return error(of: best, at: local)
  }

  mutating func insert(_ sample: ClockSample) -> Verdict {
    if isContradicted(by: sample) {
      contradictions += 1
      guard contradictions >= Self.contradictionsToStartAnew else { return .doubted }
      self = ClockFilter()
      keep(sample)
      return .startedAnew
    }
    contradictions = 0
    keep(sample)
    return .accepted
  }

  /// Whether the sample's interval and that of the estimate have nothing in common.
  private func isContradicted(by sample: ClockSample) -> Bool {
    guard let expected = reading(at: sample.local), let error = error(at: sample.local) else { return false }
    return Int64(bitPattern: sample.peer &- expected).magnitude > UInt64(sample.error + error)
  }

  private mutating func keep(_ sample: ClockSample) {
    let stretch = sample.local / Self.stretchLength
    // In place: nothing is allocated once there are as many as there will be.
    samples.removeAll { old in
      let other = old.local / Self.stretchLength
      return !Self.isRecent(old, at: sample.local)
        || other % Self.stretchCount == stretch % Self.stretchCount && (other != stretch || old.error > sample.error)
    }
    // Else there is one that stays the best of its stretch.
    if !samples.contains(where: { $0.local / Self.stretchLength == stretch }) { samples.append(sample) }
    measureSkew()
    chooseBest(newest: sample)
  }

  private static func isRecent(_ sample: ClockSample, at local: UInt64) -> Bool {
    Int64(bitPattern: local &- sample.local).magnitude < stretchLength * stretchCount
  }

  /// Each two samples bound the speed from both sides. What is left of the interval that was known before is the new
  /// one, and its middle counts. Where a clock has changed its speed the bounds may cross: then the middle is the best
  /// guess, and the interval what they disagree by.
  private mutating func measureSkew() {
    var lowest = max(skew.partsPerBillion - skewError.partsPerBillion, -ClockRate.maximum.partsPerBillion)
    var highest = min(skew.partsPerBillion + skewError.partsPerBillion, ClockRate.maximum.partsPerBillion)
    var isMeasured = false
    for a in samples {
      for b in samples {
        let baseline = Int64(bitPattern: b.local &- a.local)
        guard baseline >= Self.shortestBaseline else { continue }
        let gain = Int64(bitPattern: b.peer &- a.peer) &- baseline
        let slack = a.error + b.error
        lowest = max(lowest, ClockRate(gain: gain &- slack, over: baseline).partsPerBillion)
        highest = min(highest, ClockRate(gain: gain &+ slack, over: baseline).partsPerBillion)
        isMeasured = true
      }
    }
    guard isMeasured else { return }
    isSkewKnown = true
    skew = ClockRate(partsPerBillion: (lowest + highest) / 2)
    skewError = max(Self.wander, ClockRate(partsPerBillion: abs(highest - lowest) / 2))
  }

  /// A sample's error grows with its age, at the same rate for all: what is best stays the best until there is a newer
  /// one.
  private mutating func chooseBest(newest: ClockSample) {
    var chosen = newest
    var least = newest.error
    if let best, error(of: best, at: newest.local) < least {
      chosen = best
      least = error(of: best, at: newest.local)
    }
    for sample in samples where error(of: sample, at: newest.local) < least {
      chosen = sample
      least = error(of: sample, at: newest.local)
    }
    best = chosen
  }

  /// How far off the estimate from `sample` is when our clock shows `local`, before or after it.
  @inline(__always)
  private func error(of sample: ClockSample, at local: UInt64) -> Int64 {
    let age = Int64(bitPattern: local &- sample.local)
    return sample.error + skewError.gain(over: Int64(clamping: age.magnitude))
  }
}
