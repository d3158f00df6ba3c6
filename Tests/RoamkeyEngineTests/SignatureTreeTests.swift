import RoamkeyCrypto
import RoamkeyWire
import Testing

@testable import RoamkeyEngine

/// PROTOCOL §4: up to 16 packets share one signature. We send trees of one leaf, and accept all.
struct SignatureTreeTests {
  /// Builds the trailers of a tree over `leaves`, as a sender would.
  static func trailers(_ leaves: [Digest], key: borrowing PlayerKey) -> [[UInt8]] {
    var depth = 0
    while 1 << depth < leaves.count { depth += 1 }
    var levels = [leaves + Array(repeating: Digest(), count: (1 << depth) - leaves.count)]
    for level in 0..<depth {
      let below = levels[level]
      levels.append(
        stride(from: 0, to: below.count, by: 2).map { SignatureTrailer.node(below[$0], below[$0 + 1]) })
    }
    let root = levels[depth][0]
    let signature = SignatureTrailer.withSignedBytes(depth: depth, root: root) { key.sign($0) }
    return leaves.indices.map { index in
      let path = (0..<depth).flatMap { level in levels[level][(index >> level) ^ 1].bytes }
      return signature.bytes + path + [UInt8(depth << 4 | index)]
    }
  }

  static func leaf(_ frames: [UInt8]) -> Digest {
    BLAKE2b.hash("rk1 leaf") { $0.update(frames.span.bytes) }
  }

  static func verify(_ plaintext: [UInt8], _ leaf: Digest, _ verifier: inout SignatureVerifier) -> Bool {
    guard let trailer = try? SignatureTrailer(plaintext.span.bytes) else { return false }
    return verifier.verify(trailer, leaf: leaf, plaintext.span.bytes)
  }

  @Test("every leaf of every size of tree", arguments: 1...16)
  func allDepths(count: Int) throws {
    let key = PlayerKey.generate()
    let frames = (0..<count).map { i in [UInt8](repeating: UInt8(i), count: 10 + i) }
    let trailers = Self.trailers(frames.map(Self.leaf), key: key)
    var verifier = SignatureVerifier(peer: key.id)
    for i in frames.indices {
      let plaintext = frames[i] + trailers[i]
      let trailer = try SignatureTrailer(plaintext.span.bytes)
      #expect(trailer.frameCount == frames[i].count)
      #expect(trailer.index == i)
      #expect(Self.verify(plaintext, Self.leaf(frames[i]), &verifier))
      // The same trailer on other frames, and each altered byte of it, is refused.
      #expect(!Self.verify(plaintext, Self.leaf(frames[i] + [1]), &verifier))
    }
    let plaintext = frames[0] + trailers[0]
    for position in frames[0].count..<plaintext.count {
      var altered = plaintext
      altered[position] ^= 0x01
      #expect(!Self.verify(altered, Self.leaf(frames[0]), &verifier), "byte \(position) of \(plaintext.count)")
    }
  }

  @Test func anotherKeyIsRefused() {
    let key = PlayerKey.generate()
    let leaf = Self.leaf([1, 2, 3])
    let plaintext = [1, 2, 3] + Self.trailers([leaf], key: key)[0]
    var honest = SignatureVerifier(peer: key.id)
    var other = SignatureVerifier(peer: PlayerKey.generate().id)
    #expect(Self.verify(plaintext, leaf, &honest))
    #expect(!Self.verify(plaintext, leaf, &other))
  }

  @Test func aKnownRootDoesNotCoverAnotherTree() {
    let key = PlayerKey.generate()
    let leaves = (0..<4).map { Self.leaf([$0]) }
    let trailers = Self.trailers(leaves, key: key)
    var verifier = SignatureVerifier(peer: key.id)
    #expect(Self.verify([0] + trailers[0], leaves[0], &verifier))
    // A leaf that is not in the tree, under the root that is remembered.
    #expect(!Self.verify([9] + trailers[1], Self.leaf([9]), &verifier))
    #expect(Self.verify([1] + trailers[1], leaves[1], &verifier))
  }

  @Test(
    "trailers that cannot be",
    arguments: [
      [], [0x00], [UInt8](repeating: 0, count: 64), [UInt8](repeating: 0x50, count: 300),
      [UInt8](repeating: 0x01, count: 65), [UInt8](repeating: 0x12, count: 97), [UInt8](repeating: 0x10, count: 96),
    ] as [[UInt8]])
  func malformed(plaintext: [UInt8]) {
    #expect(throws: WireError.self) { try SignatureTrailer(plaintext.span.bytes) }
  }
}
