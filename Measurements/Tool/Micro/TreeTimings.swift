import RoamkeyCrypto
import RoamkeyEngine
import RoamkeyWire

/// Signatures that packets share (PROTOCOL §4.1): leaves, tree and trailers, beside one signature for each packet.
enum TreeTimings {
  private static let frameSize = 1000

  static var all: [Timing] { [0, 2, 4].flatMap { [sign(depth: $0), verify(depth: $0)] } }

  private static func leaf(_ ends: CryptoTimings.Ends, sends: Bool, _ plaintext: Scratch, number: UInt64) -> Digest {
    let frames = RawSpan(_unsafeBytes: UnsafeRawBufferPointer(plaintext.first(frameSize)))
    let direction = Direction.initiatorToResponder
    return sends
      ? ends.sender.leaf(
        direction, number: number, frames: frames, blinder: ends.sender.blinder(direction, .current, number: number))
      : ends.receiver.leaf(
        direction, number: number, frames: frames, blinder: ends.receiver.blinder(direction, .current, number: number))
  }

  private static func write(
    _ packets: [Scratch], depth: Int, _ ends: CryptoTimings.Ends, _ keys: CryptoTimings.Keys, firstNumber: UInt64
  ) {
    var tree = SigningTree()
    tree.begin(depth: depth)
    for i in packets.indices {
      tree.append(leaf(ends, sends: true, packets[i], number: firstNumber + UInt64(i)))
    }
    tree.sign(with: keys.key)
    let size = frameSize + SignatureTrailer.size(depth: depth)
    for i in packets.indices {
      var span = MutableRawSpan(_unsafeBytes: packets[i].first(size))
      tree.writeTrailer(of: i, to: &span, at: frameSize)
    }
  }

  private static func sign(depth: Int) -> Timing {
    let (ends, keys, message, signature) =
      (CryptoTimings.Ends(), CryptoTimings.Keys(), Scratch(count: 65), Scratch(count: 64))
    let packets = (0..<1 << depth).map { _ in Scratch() }
    return Timing(
      "sign a tree of \(packets.count)", unit: "packet", against: "libsodium's sign", unitsInCall: packets.count,
      work: { write(packets, depth: depth, ends, keys, firstNumber: 0) },
      bare: { CryptoTimings.bareSign(keys, message, signature) })
  }

  private static func verify(depth: Int) -> Timing {
    let (ends, keys, message, signature) =
      (CryptoTimings.Ends(), CryptoTimings.Keys(), Scratch(count: 65), Scratch(count: 64))
    let packets = (0..<1 << depth).map { _ in Scratch() }
    write(packets, depth: depth, ends, keys, firstNumber: 0)
    CryptoTimings.bareSign(keys, message, signature)
    let size = frameSize + SignatureTrailer.size(depth: depth)
    return Timing(
      "verify a tree of \(packets.count)", unit: "packet", against: "libsodium's verify", unitsInCall: packets.count,
      work: {
        // A new one each time: a tree that it knows costs hashes only.
        var verifier = SignatureVerifier(peer: keys.key.id)
        for i in packets.indices {
          let plaintext = RawSpan(_unsafeBytes: UnsafeRawBufferPointer(packets[i].first(size)))
          let leaf = leaf(ends, sends: false, packets[i], number: UInt64(i))
          guard let trailer = try? SignatureTrailer(plaintext), verifier.verify(trailer, leaf: leaf, plaintext) else {
            preconditionFailure("the signature was not taken")
          }
        }
      },
      bare: {
        precondition(CryptoTimings.bareVerify(keys, message, signature), "the signature was not taken")
      })
  }
}
