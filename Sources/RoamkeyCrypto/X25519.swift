import RoamkeySodium

/// X25519 key agreement (RFC 7748) on guarded memory.
package enum X25519 {
  package static let keySize = 32

  /// The public key of the 32 secret bytes at `offset`.
  package static func publicKey(of secret: borrowing SecretBytes, at offset: Int = 0) -> Digest {
    var result = Digest()
    result.withUnsafeMutableBytes { target in
      _ = crypto_scalarmult_base(
        target.baseAddress!.assumingMemoryBound(to: UInt8.self), secret.pointer(at: offset, size: keySize))
    }
    return result
  }

  /// The shared secret of the key at `offset` and somebody's public key, written to `output`.
  /// - Returns: false where the result is all zeros, as a public key of small order gives: drop the datagram.
  package static func agree(
    _ secret: borrowing SecretBytes, at offset: Int, with publicKey: Digest, into output: inout SecretBytes,
    at target: Int = 0
  ) -> Bool {
    let result = output.mutablePointer(at: target, size: keySize)
    return publicKey.withUnsafeBytes { point in
      crypto_scalarmult(
        result, secret.pointer(at: offset, size: keySize), point.baseAddress!.assumingMemoryBound(to: UInt8.self)) == 0
    }
  }
}
