package import RoamkeyCrypto

/// A player's signature of a root (PROTOCOL §4), and what came of verifying it.
///
/// Whether it is good follows from what stands here alone, so that any thread may find out, and the verdict stays true.
package struct Verification: Sendable {
  let signer: PlayerID
  let depth: Int
  let root: Digest
  let signature: Signature
  /// Means something only once it has been verified.
  package private(set) var isGood = false

  package init(signer: PlayerID, depth: Int, root: Digest, signature: Signature) {
    self.signer = signer
    self.depth = depth
    self.root = root
    self.signature = signature
  }

  /// Verifies (39 us).
  package mutating func run() {
    isGood = SignatureTrailer.withSignedBytes(depth: depth, root: root) { signer.verify(signature, of: $0) }
  }

  /// Whether the other asks the same question. Everything is compared in full; roots differ in their first bytes.
  func isSame(as other: Verification) -> Bool {
    root == other.root && signature == other.signature && depth == other.depth && signer == other.signer
  }
}

/// Where an endpoint has signatures verified by whoever has time: other threads, or nobody but the caller.
package protocol VerificationBoard: Sendable {
  /// Whether somebody else would help now. Asked once a batch of datagrams.
  var hasIdleHelpers: Bool { get }

  /// Verifies all of `tasks`. Returns when each has its verdict, and nobody but the caller looks at them any more.
  /// - Returns: how many of them others have verified.
  func verify(_ tasks: UnsafeMutableBufferPointer<Verification>) -> Int
}
