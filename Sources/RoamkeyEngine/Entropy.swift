package import RoamkeyCrypto
import RoamkeyWire

/// Where the engine's random bytes come from: it draws none by itself.
///
/// Every public initialiser hands over `.system`, libsodium's; a seeded one, for simulations and vectors, cannot be
/// made outside of this package, so that no app ends up with predictable keys.
package struct Entropy {
  private enum Source {
    case system
    /// A BLAKE2b stream over seed and counter: deterministic, and as good as any for a simulation.
    case seeded(seed: Digest, counter: UInt64)
    /// Prepared answers first, for vectors.
    case scripted([[UInt8]])
  }
  private var source: Source

  package static let system = Entropy(source: .system)

  package static func seeded(_ seed: UInt64) -> Entropy {
    Entropy(source: .seeded(seed: BLAKE2b.hash("rk1 simulation") { $0.update(bigEndian: seed) }, counter: 0))
  }

  /// Gives out `answers` in order, each of exactly the size that is asked for.
  package static func scripted(_ answers: [[UInt8]]) -> Entropy { Entropy(source: .scripted(answers)) }

  private init(source: Source) { self.source = source }

  /// 32 secret bytes.
  package mutating func secret() -> SecretBytes {
    if case .system = source { return SecretBytes(random: 32) }
    var bytes = next(32)
    return SecretBytes(wiping: &bytes)
  }

  /// 8 random bytes as a number: ids and challenges.
  package mutating func number() -> UInt64 {
    if case .system = source { return SystemRandom.number() }
    return next(8).reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// 32 random bytes that are no secret.
  mutating func digest() -> Digest {
    var bytes: [UInt8] = []
    for _ in 0..<4 { bytes.append(bigEndian: number()) }
    return Digest(bytes.span.bytes)
  }

  /// The same for the origin of a clock; a script has none, so that vectors stay what they are.
  mutating func clockOrigin() -> UInt64 {
    if case .scripted = source { return 0 }
    return number()
  }

  /// A key for short hashes; a script has none, so that vectors stay what they are.
  mutating func hashKey() -> SipHash.Key {
    if case .scripted = source { return (0, 0) }
    return (number(), number())
  }

  private mutating func next(_ count: Int) -> [UInt8] {
    switch source {
    case .system: preconditionFailure("the system's numbers are drawn directly")
    case .seeded(let seed, let counter):
      source = .seeded(seed: seed, counter: counter + 1)
      let digest = BLAKE2b.hash("rk1 simulation", key: seed) { $0.update(bigEndian: counter) }
      return Array(digest.bytes.prefix(count))
    case .scripted(var answers):
      precondition(answers.first?.count == count, "the script has no answer of \(count) bytes")
      let answer = answers.removeFirst()
      source = .scripted(answers)
      return answer
    }
  }
}
