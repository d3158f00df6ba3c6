/// Moments at a steady rate, counted from the first one: a late tick does not delay those after it.
struct Ticks: Sendable {
  let first: Monotonic
  let interval: Duration

  /// - Parameters:
  ///   - rate: ticks a second.
  ///   - earliest: no tick is before it.
  ///   - offset: where in the interval the ticks are, in parts of it. Runs at the same time with different offsets do
  ///     not wake the machine at the same moment.
  init(rate: Double, notBefore earliest: Monotonic, offset: Double) {
    let nanoseconds = max(1, Int64(1e9 / rate))
    interval = .nanoseconds(nanoseconds)
    let phase = Int64(Double(nanoseconds) * offset)
    let behind = (earliest.nanoseconds - phase) % nanoseconds
    first = Monotonic(nanoseconds: earliest.nanoseconds + (behind == 0 ? 0 : nanoseconds - behind))
  }

  subscript(index: Int) -> Monotonic { first + interval * index }
}
