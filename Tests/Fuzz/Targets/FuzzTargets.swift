/// All targets that need nothing but the libraries.
package enum FuzzTargets {
  package static let all: [FuzzTarget] = [
    // Decoders.
    headers, frames, parameters, content, beacons, values, addresses, text, playerIDs, keyFiles, storage,
    // What is behind seals and signatures.
    packets, trailers, identities, peer, sessions,
  ]
}
