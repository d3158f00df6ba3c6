/// How many packets are to share one signature: the depth of the tree, chosen before its packets are filled
/// (docs/decisions/0018-trees.md).
///
/// A tree saves signing, and for packets to one peer verifying. It costs 32 bytes of path a level in each packet. The
/// depth is the one at which the time saved for a packet, less what the bytes are worth, is largest.
package struct TreePlan: Sendable {
  /// Nanoseconds, as measured: an Ed25519 signature, its verification, a node of the tree.
  private static let signing = 18_000
  private static let verifying = 50_000
  private static let hashing = 400
  /// What 32 bytes more in a packet may cost of a processor's time, in nanoseconds.
  private static let worthOfLevel = 3_000
  /// Packets to different peers share from so many on; those to one peer from two.
  private static let fewest = 4

  /// Packets that are counted; no tree takes more.
  package static let limit = SigningTree.maximumLeaves

  /// So many packets leave, of all peers.
  package private(set) var count = 0
  /// By position: whether the packet goes to the same peer as the one before.
  private var repeats: UInt32 = 0

  package init() {}

  package var isFull: Bool { count == Self.limit }

  /// Adds packets to one peer, which leave one after the other.
  package mutating func add(_ packets: Int) {
    for i in 0..<min(max(packets, 0), Self.limit - count) {
      if i > 0 { repeats |= 1 << UInt32(count) }
      count += 1
    }
  }

  /// The depth of the next tree, which has places for its first packets.
  /// - Parameter room: packets that the batch takes.
  package func depth(room: Int = TreePlan.limit) -> Int {
    let count = min(count, room)
    guard count >= Self.fewest || repeats & Self.first(count) != 0 else { return 0 }
    var best = (depth: 0, gain: 0)
    for depth in 1...SignatureTrailer.maximumDepth {
      let packets = min(count, 1 << depth)
      let shared = (repeats & Self.first(packets)).nonzeroBitCount
      let saved = Self.signing * (packets - 1) + Self.verifying * shared
      let hashes = (1 << depth) - 1 + depth * packets
      let gain = (saved - Self.hashing * hashes) / packets - Self.worthOfLevel * depth
      if gain > best.gain { best = (depth, gain) }
      if packets == count { break }
    }
    return best.depth
  }

  private static func first(_ packets: Int) -> UInt32 { (1 << UInt32(packets)) - 1 }
}
