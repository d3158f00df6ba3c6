import RoamkeyCrypto

/// All targets that need nothing but the libraries.
package enum FuzzTargets {
  package static let all: [FuzzTarget] = [
    // Decoders.
    headers, frames, parameters, content, beacons, values, addresses, text, playerIDs, keyFiles, storage, statements,
    words, handovers, evidence,
    // What is behind seals and signatures.
    packets, trailers, identities, handshakes, discovery, peer, sessions,
    // Messages of apps.
    states,
  ]

  /// A player id as text, for what cannot make one by itself.
  package static func playerID(_ number: UInt8) -> String {
    PlayerID(publicKey: Digest([UInt8](repeating: number, count: Digest.size))).description
  }
}
