/// The order statistics of a set of durations.
struct Percentiles: Sendable {
  private let sorted: [Duration]

  init(_ values: [Duration]) { sorted = values.sorted() }

  var count: Int { sorted.count }

  /// The smallest value that at least `percent` of all values do not exceed (the nearest rank); nil without values.
  ///
  /// Not interpolated: each figure is a delay that really occurred.
  subscript(percent: Double) -> Duration? {
    guard !sorted.isEmpty else { return nil }
    let rank = Int((percent / 100 * Double(sorted.count)).rounded(.up))
    return sorted[min(max(rank, 1), sorted.count) - 1]
  }

  var maximum: Duration? { sorted.last }
}

/// The middle value, or the mean of the two middle ones; nil without values.
func median(_ values: [Double]) -> Double? {
  guard !values.isEmpty else { return nil }
  let sorted = values.sorted()
  let middle = sorted.count / 2
  return sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
}
