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
  /// Where the root that was verified last stands; once all places are taken, the oldest follows it.
  private var newest = 0
  /// How deep the tree was whose root was verified last.
  private(set) var lastDepth = 0

  /// PROTOCOL §4: at most 64 a session.
  private static let capacity = 64

  package init(peer: PlayerID) { self.peer = peer }

  /// Whether the trailer of `plaintext` is the peer's for `leaf`.
  package mutating func verify(_ trailer: SignatureTrailer, leaf: Digest, _ plaintext: RawSpan) -> Bool {
    var nothing = VerificationsAhead()
    return verify(trailer, leaf: leaf, plaintext, ahead: &nothing)
  }

  /// The same, where some signatures may have been verified already.
  mutating func verify(
    _ trailer: SignatureTrailer, leaf: Digest, _ plaintext: RawSpan, ahead: inout VerificationsAhead
  ) -> Bool {
    let root = trailer.root(leaf: leaf, plaintext)
    let signature = Signature(plaintext, at: trailer.signature)
    // Lone packets never come again, so their roots are not worth a place.
    let isShared = trailer.depth > 0
    if isShared, isKnown(depth: trailer.depth, root: root, signature) { return true }
    guard isGood(depth: trailer.depth, root: root, signature, &ahead) else { return false }
    lastDepth = trailer.depth
    if isShared { remember(VerifiedRoot(depth: trailer.depth, root: root, signature: signature)) }
    return true
  }

  private func isGood(depth: Int, root: Digest, _ signature: Signature, _ ahead: inout VerificationsAhead) -> Bool {
    if ahead.areVerified {
      let task = Verification(signer: peer, depth: depth, root: root, signature: signature)
      if let verdict = ahead.verdict(on: task) { return verdict }
    }
    return SignatureTrailer.withSignedBytes(depth: depth, root: root) { peer.verify(signature, of: $0) }
  }

  /// What `verify` would verify; nil where the root is known.
  func task(_ trailer: SignatureTrailer, leaf: Digest, _ plaintext: RawSpan) -> Verification? {
    let root = trailer.root(leaf: leaf, plaintext)
    let signature = Signature(plaintext, at: trailer.signature)
    if trailer.depth > 0, isKnown(depth: trailer.depth, root: root, signature) { return nil }
    return Verification(signer: peer, depth: trailer.depth, root: root, signature: signature)
  }

  /// Forgets the roots: what belongs to them has come, or is verified anew.
  package mutating func releaseMemory() {
    guard !verified.isEmpty else { return }
    verified = []
    newest = 0
  }

  /// The newest first: most packets of a tree follow each other.
  private func isKnown(depth: Int, root: Digest, _ signature: Signature) -> Bool {
    var place = newest
    for _ in verified.indices {
      let known = verified[place]
      if known.root == root, known.depth == depth, known.signature == signature { return true }
      place = (place == 0 ? verified.count : place) - 1
    }
    return false
  }

  private mutating func remember(_ root: VerifiedRoot) {
    if verified.count < Self.capacity {
      newest = verified.count
      verified.append(root)
    } else {
      newest = (newest + 1) % Self.capacity
      verified[newest] = root
    }
  }
}
