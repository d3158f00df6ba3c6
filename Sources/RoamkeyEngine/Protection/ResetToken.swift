package import RoamkeyCrypto
package import RoamkeyWire

/// Stateless reset tokens (PROTOCOL §6): what a server that lost its sessions can still say about a connection id.
package struct ResetKey: ~Copyable {
  private var key = SecretBytes(zeros: 32)

  /// - Parameter instance: random, one for each place a server runs at, so that two servers with one copied key cannot
  ///   end each other's sessions.
  package init(instance: Digest, key player: borrowing PlayerKey) {
    let seed = player.withSeed { SecretBytes(copying: $0) }
    key.hash("rk1 reset", key: seed, to: 0) { $0.update(instance) }
  }

  /// The 16 bytes of token of one connection id.
  package borrowing func token(of id: ConnectionID) -> UInt128 {
    BLAKE2b.hash("rk1 token", key: key, count: 16) { hash in id.withUnsafeBytes { hash.update(buffer: $0) } }.prefix128
  }
}
