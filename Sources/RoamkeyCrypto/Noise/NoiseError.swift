/// Why a handshake message could not be written or read.
///
/// It is for statistics alone: a peer is told nothing (PROTOCOL §1), the datagram is dropped.
package enum NoiseError: Error, Sendable {
  /// Too short for the keys and tags that this message carries.
  case truncated
  /// A tag was wrong: altered, of another handshake, or of another protocol.
  case decryptionFailed
  /// A public key of small order: the shared secret would be known to everybody.
  case lowOrderKey
  /// It is the other side's turn, or the handshake is complete.
  case wrongTurn
}
