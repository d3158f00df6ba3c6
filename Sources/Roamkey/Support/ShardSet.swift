/// Some of a server's shards.
struct ShardSet: Sequence, Sendable {
  private var bits: UInt32

  /// None, or one.
  init(_ shard: Int? = nil) { bits = shard.map { 1 << UInt32($0) } ?? 0 }

  /// The first `count`.
  init(all count: Int) { bits = 1 << UInt32(count) - 1 }

  mutating func insert(_ shard: Int) { bits |= 1 << UInt32(shard) }

  /// Those for which `body` says so.
  func filter(_ body: (Int) -> Bool) -> ShardSet {
    var result = ShardSet()
    for shard in self where body(shard) { result.insert(shard) }
    return result
  }

  func makeIterator() -> Iterator { Iterator(left: bits) }

  /// From the lowest on.
  struct Iterator: IteratorProtocol {
    fileprivate var left: UInt32

    mutating func next() -> Int? {
      guard left != 0 else { return nil }
      defer { left &= left - 1 }
      return left.trailingZeroBitCount
    }
  }
}
