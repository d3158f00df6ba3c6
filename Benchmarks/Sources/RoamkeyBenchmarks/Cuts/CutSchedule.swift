/// When the network of a run is cut, and for how long.
struct CutSchedule: Sendable, Equatable {
  struct Cut: Sendable, Equatable {
    /// From the start of the run.
    var start: Duration
    var length: Duration
  }

  /// Before, between and after the cuts there is a network for at least so long: what comes back first is seen.
  static let pause: Duration = .seconds(15)
  /// Each cut lasts up to so much longer than it was asked for: the time between two probes of a dead network
  /// (PROTOCOL §10.4). Cuts of one length would all end at the same place between two of them, and the first message
  /// would come after 0 s, or after 5 s, every time.
  static let probeInterval: Duration = .seconds(5)

  /// In order.
  let cuts: [Cut]

  /// At random moments of the run that follow from the seed; nil where the run is too short for so many.
  init?(cuts: Int, length: Duration, in run: Duration, seed: UInt64) {
    let free = run - (length + Self.probeInterval) * cuts - Self.pause * (cuts + 1)
    guard free >= .zero else { return nil }
    var random = SeededRandom(seed: seed)
    func duration(upTo limit: Duration) -> Duration {
      .nanoseconds(Int64.random(in: 0...limit.wholeNanoseconds, using: &random))
    }
    let offsets = (0..<cuts).map { _ in duration(upTo: free) }.sorted()
    self.cuts = offsets.enumerated().map { index, offset in
      Cut(
        start: offset + (length + Self.probeInterval) * index + Self.pause * (index + 1),
        length: length + duration(upTo: Self.probeInterval))
    }
  }
}
