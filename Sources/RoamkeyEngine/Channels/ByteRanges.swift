/// A set of byte positions as sorted ranges that do not touch: which bytes of a message are acknowledged, or here.
struct ByteRanges: Sendable {
  private(set) var ranges: [Range<Int>] = []

  /// Adds a range; what it overlaps or touches becomes one with it.
  mutating func insert(_ range: Range<Int>) {
    guard !range.isEmpty else { return }
    let first = ranges.firstIndex { $0.upperBound >= range.lowerBound } ?? ranges.count
    var last = first
    var merged = range
    while last < ranges.count, ranges[last].lowerBound <= range.upperBound {
      merged = min(merged.lowerBound, ranges[last].lowerBound)..<max(merged.upperBound, ranges[last].upperBound)
      last += 1
    }
    ranges.replaceSubrange(first..<last, with: CollectionOfOne(merged))
  }

  /// The first part of `range` that is not in the set.
  func firstMissing(in range: Range<Int>) -> Range<Int>? {
    var position = range.lowerBound
    for known in ranges where known.upperBound > position && known.lowerBound < range.upperBound {
      if known.lowerBound > position { return position..<known.lowerBound }
      position = known.upperBound
    }
    return position < range.upperBound ? position..<range.upperBound : nil
  }

  /// Adds a range.
  /// - Returns: whether all of `whole` is in the set now.
  mutating func insert(_ range: Range<Int>, covering whole: Range<Int>) -> Bool {
    insert(range)
    return covers(whole)
  }

  /// Whether all of `range` is in the set.
  func covers(_ range: Range<Int>) -> Bool {
    range.isEmpty || ranges.contains { $0.lowerBound <= range.lowerBound && $0.upperBound >= range.upperBound }
  }
}
