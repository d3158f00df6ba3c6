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
    let root = trailer.root(leaf: leaf, plaintext)
    let signature = Signature(plaintext, at: trailer.signature)
    if isKnown(trailer, root, signature) { return true }
    let isGood = SignatureTrailer.withSignedBytes(depth: trailer.depth, root: root) { message in
      peer.verify(signature, of: message)
    }
    if isGood { note(trailer, root, signature) }
    return isGood
  }

  /// The same, where some signatures have been verified already.
  @inline(never)
  mutating func verify(
    _ trailer: SignatureTrailer, leaf: Digest, _ plaintext: RawSpan, ahead: inout VerificationsAhead
  ) -> Bool {
    guard var task = self.task(trailer, leaf: leaf, plaintext) else { return true }
    if let verdict = ahead.verdict(on: task) {
      if verdict { note(trailer, task.root, task.signature) }
      return verdict
    }
    task.run()
    if task.isGood { note(trailer, task.root, task.signature) }
    return task.isGood
  }

  /// What `verify` would verify; nil where the root is known.
  func task(_ trailer: SignatureTrailer, leaf: Digest, _ plaintext: RawSpan) -> Verification? {
    let root = trailer.root(leaf: leaf, plaintext)
    let signature = Signature(plaintext, at: trailer.signature)
    if isKnown(trailer, root, signature) { return nil }
    return Verification(signer: peer, depth: trailer.depth, root: root, signature: signature)
  }

  /// Forgets the roots: what belongs to them has come, or is verified anew.
  package mutating func releaseMemory() {
    guard !verified.isEmpty else { return }
    verified = []
    newest = 0
  }

  /// The newest first: most packets of a tree follow each other. Lone packets never come again, so their roots are not
  /// worth a place.
  @inline(__always)
  private func isKnown(_ trailer: SignatureTrailer, _ root: Digest, _ signature: Signature) -> Bool {
    let depth = trailer.depth
    guard depth > 0 else { return false }
    var place = newest
    for _ in verified.indices {
      let known = verified[place]
      if known.root == root, known.depth == depth, known.signature == signature { return true }
      place = (place == 0 ? verified.count : place) - 1
    }
    return false
  }

  /// The root was good.
  @inline(__always)
  private mutating func note(_ trailer: SignatureTrailer, _ root: Digest, _ signature: Signature) {
    lastDepth = trailer.depth
    if trailer.depth > 0 { remember(VerifiedRoot(depth: trailer.depth, root: root, signature: signature)) }
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
