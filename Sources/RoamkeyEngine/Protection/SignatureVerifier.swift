package import RoamkeyCrypto
import RoamkeyWire

/// Checks the signatures of one peer, and remembers the roots that were good: the further packets of a tree then cost
/// hashes only.
package struct SignatureVerifier: Sendable {
  private struct VerifiedRoot: Sendable {
    var depth: Int
    var root: Digest
    var signature: Signature
  }

  private let peer: PlayerID
  private var verified: [VerifiedRoot] = []
  private var oldest = 0

  /// PROTOCOL §4: at most 64 a session.
  private static let capacity = 64

  package init(peer: PlayerID) { self.peer = peer }

  /// Whether the trailer of `plaintext` is the peer's for `leaf`.
  package mutating func verify(_ trailer: SignatureTrailer, leaf: Digest, _ plaintext: RawSpan) -> Bool {
    let root = trailer.root(leaf: leaf, plaintext)
    let signature = Signature(plaintext, at: trailer.signature)
    // Lone packets never come again, so their roots are not worth a place.
    let isShared = trailer.depth > 0
    if isShared, isKnown(depth: trailer.depth, root: root, signature) { return true }
    let isGood = SignatureTrailer.withSignedBytes(depth: trailer.depth, root: root) { message in
      peer.verify(signature, of: message)
    }
    if isGood, isShared { remember(VerifiedRoot(depth: trailer.depth, root: root, signature: signature)) }
    return isGood
  }

  private func isKnown(depth: Int, root: Digest, _ signature: Signature) -> Bool {
    verified.contains { $0.depth == depth && $0.root == root && $0.signature == signature }
  }

  private mutating func remember(_ root: VerifiedRoot) {
    if verified.count < Self.capacity {
      verified.append(root)
    } else {
      verified[oldest] = root
      oldest = (oldest + 1) % Self.capacity
    }
  }
}
