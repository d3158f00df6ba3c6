package import RoamkeyCrypto

/// The tree over packets that leave together, as their sender builds it (PROTOCOL §4.1).
///
/// Leaves are added in order; then the root is signed, once; then each packet gets its trailer. Nothing is allocated.
package struct SigningTree: Sendable {
  /// 2^depth.
  package static let maximumLeaves = 1 << SignatureTrailer.maximumDepth

  package private(set) var depth = 0
  /// Leaves that are there; the missing ones are zeros.
  package private(set) var count = 0
  /// The root is at 1, the children of i are at 2i and 2i + 1, the first leaf is at 2^depth: siblings differ in the
  /// lowest bit.
  private var nodes = InlineArray<32, Digest>(repeating: Digest())
  private var signature: Signature?

  package init() {}

  /// Whether no further leaf has a place.
  package var isFull: Bool { count == 1 << depth }

  /// An empty tree of a depth that is chosen before anything is known of its leaves.
  package mutating func begin(depth: Int) {
    precondition((0...SignatureTrailer.maximumDepth).contains(depth), "a tree has up to 16 leaves")
    self.depth = depth
    count = 0
    signature = nil
  }

  /// Adds the next leaf.
  package mutating func append(_ leaf: Digest) {
    precondition(!isFull && signature == nil, "a full tree, or one that was signed, takes no leaf")
    nodes[(1 << depth) + count] = leaf
    count += 1
  }

  /// Completes the tree and signs its root (18 us).
  package mutating func sign(with key: borrowing PlayerKey) {
    precondition(count > 0, "a tree has a leaf")
    let first = 1 << depth
    for missing in count..<first { nodes[first + missing] = Digest() }
    for i in (1..<first).reversed() { nodes[i] = SignatureTrailer.node(nodes[2 * i], nodes[2 * i + 1]) }
    signature = SignatureTrailer.withSignedBytes(depth: depth, root: nodes[1]) { key.sign($0) }
  }

  /// Writes the trailer of one packet at `start`, where there is room for it.
  package func writeTrailer(of index: Int, to datagram: inout MutableRawSpan, at start: Int) {
    guard let signature, index < count else { preconditionFailure("a trailer needs its leaf and the signature") }
    let size = SignatureTrailer.size(depth: depth)
    precondition(start >= 0 && datagram.byteCount - start >= size, "no room for the trailer")
    datagram.withUnsafeMutableBytes { bytes in
      let trailer = UnsafeMutableRawBufferPointer(rebasing: bytes[start..<start + size])
      signature.withUnsafeBytes { trailer.copyMemory(from: $0) }
      var position = Signature.size
      var node = (1 << depth) + index
      while node > 1 {
        nodes[node ^ 1].withUnsafeBytes {
          UnsafeMutableRawBufferPointer(rebasing: trailer[position...]).copyMemory(from: $0)
        }
        position += Digest.size
        node >>= 1
      }
      trailer[position] = UInt8(depth << 4 | index)
    }
  }
}
