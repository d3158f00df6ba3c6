/// Which of a server's shards a connection id belongs to: SipHash-2-4 of the id under a key of the process.
///
/// An id tells outsiders nothing of it, and nobody can draw ids that all fall on one shard. The server draws until an
/// id falls where it is wanted.
package struct ShardMap: Sendable {
  private let key: (UInt64, UInt64)
  package let count: Int

  /// - Parameters:
  ///   - key: 16 random bytes that leave the process never.
  ///   - count: how many shards there are, at least 1.
  package init(key: (UInt64, UInt64), count: Int) {
    precondition(count > 0, "there is at least one shard")
    self.key = key
    self.count = count
  }

  /// The shard that owns a connection id.
  package func shard(of id: UInt64) -> Int { Int(SipHash.hash(id, key: key) % UInt64(count)) }
}
