import RoamkeyCrypto
import RoamkeyEngine
import RoamkeyWire

extension FuzzTargets {
  /// Signature trailers: bytes of anybody, and trees that are signed as they should be and then perhaps altered.
  static let trailers = FuzzTarget(
    "trailers", longestInput: 300, milestones: ["read", "tree", "verified", "altered", "remembered"]
  ) { input, reached in
    let mode = input.byte()
    if mode & 1 == 0 { return read(input.rest(), &reached) }
    let depth = Int(mode >> 1) % (SignatureTrailer.maximumDepth + 1)
    let index = Int(mode >> 4) % (1 << depth)
    let change = input.int16()
    let frames = input.take(40)
    var plaintext = FuzzTree.signed(frames, depth: depth, index: index, siblings: input.rest())
    let leaf = FuzzTree.leaf(frames)
    var verifier = SignatureVerifier(peer: FuzzKeys.client)
    precondition(verify(plaintext, leaf, with: &verifier) == true, "a tree that is right is refused")
    reached.reach(2)
    if depth > 0 { reached.reach(1) }
    precondition(verify(plaintext, leaf, with: &verifier) == true, "a root that is known is refused")
    if depth > 0 { reached.reach(4) }
    guard change > 0 else { return }
    // Whatever is altered of trailer or leaf: it is not the signer's any more.
    let place = frames.count + change % (plaintext.count - frames.count)
    plaintext[place] ^= UInt8(1) << UInt8(change % 8)
    precondition(verify(plaintext, leaf, with: &verifier) != true, "an altered trailer is accepted")
    reached.reach(3)
  }

  private static func read(_ plaintext: [UInt8], _ reached: inout Milestones) {
    guard let trailer = try? SignatureTrailer(plaintext.span.bytes) else { return }
    reached.reach(0)
    precondition(trailer.frameCount >= 0 && trailer.frameCount < plaintext.count, "a trailer is behind frames")
    precondition(trailer.index < 1 << trailer.depth, "a leaf that the tree does not have")
    let size = SignatureTrailer.size(depth: trailer.depth)
    precondition(trailer.frameCount + size == plaintext.count, "a trailer is not the end")
    let leaf = FuzzTree.leaf([])
    let root = trailer.root(leaf: leaf, plaintext.span.bytes)
    precondition((root == leaf) == (trailer.depth == 0), "a tree of one leaf is its leaf")
    var verifier = SignatureVerifier(peer: FuzzKeys.client)
    precondition(verify(plaintext, leaf, with: &verifier) != true, "bytes of anybody are a signature")
  }

  /// Nil where there is no trailer.
  private static func verify(
    _ plaintext: [UInt8], _ leaf: Digest, with verifier: inout SignatureVerifier
  ) -> Bool? {
    guard let trailer = try? SignatureTrailer(plaintext.span.bytes) else { return nil }
    return verifier.verify(trailer, leaf: leaf, plaintext.span.bytes)
  }
}

/// Trees as PROTOCOL §4.1 has them.
enum FuzzTree {
  static func leaf(_ frames: [UInt8]) -> Digest { BLAKE2b.hash("fuzz leaf") { $0.update(frames.span.bytes) } }

  /// Frames and trailer, signed by `FuzzKeys.client`.
  static func signed(_ frames: [UInt8], depth: Int, index: Int, siblings: [UInt8]) -> [UInt8] {
    let siblings = siblings + [UInt8](repeating: 1, count: max(0, 32 * depth - siblings.count))
    var node = leaf(frames)
    for level in 0..<depth {
      let sibling = Digest(siblings.span.bytes, at: 32 * level)
      node = index >> level & 1 == 1 ? SignatureTrailer.node(sibling, node) : SignatureTrailer.node(node, sibling)
    }
    let signature = SignatureTrailer.withSignedBytes(depth: depth, root: node) { FuzzKeys.sign($0, as: .client) }
    return frames + signature + siblings[..<(32 * depth)] + [UInt8(depth << 4 | index)]
  }
}
