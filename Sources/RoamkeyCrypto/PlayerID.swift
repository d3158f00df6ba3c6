/// Who a player is: an Ed25519 public key.
///
/// It stays the same whatever network, address or port the player's packets come from.
public struct PlayerID: Hashable, Sendable {
  /// The 32 bytes of the public key.
  package let publicKey: Digest

  package init(publicKey: Digest) { self.publicKey = publicKey }
}
