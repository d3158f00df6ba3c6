package import RoamkeyCrypto
package import RoamkeyWire

/// The end of every packet's plaintext under the policy `everyPacket` (PROTOCOL §4):
/// `sig64 ‖ path (32 * depth, bottom up) ‖ (depth << 4 | index)`.
///
/// The signature is over the root of a Merkle tree, so that up to 16 packets of one flush share one.
package struct SignatureTrailer: Sendable {
  package static let maximumDepth = 4

  package var depth: Int
  /// Which leaf this packet is.
  package var index: Int
  /// Where the signature, and where the path stand in the plaintext.
  package var signature: Int
  package var path: Int
  /// How many bytes of frames stand in front.
  package var frameCount: Int

  /// Bytes of trailer in a tree of `depth`.
  package static func size(depth: Int) -> Int { Signature.size + Digest.size * depth + 1 }

  /// Reads from the last byte on.
  package init(_ plaintext: RawSpan) throws(WireError) {
    guard plaintext.byteCount > 0 else { throw .truncated }
    let last = Int(plaintext.unsafeLoad(fromByteOffset: plaintext.byteCount - 1, as: UInt8.self))
    depth = last >> 4
    index = last & 0x0f
    guard depth <= Self.maximumDepth, index < 1 << depth else { throw .malformed }
    frameCount = plaintext.byteCount - Self.size(depth: depth)
    guard frameCount >= 0 else { throw .truncated }
    signature = frameCount
    path = frameCount + Signature.size
  }

  /// The root that this packet's leaf and path lead to: bit i of the index set means that path[i] is the left one.
  package func root(leaf: Digest, _ plaintext: RawSpan) -> Digest {
    var node = leaf
    for level in 0..<depth {
      let sibling = Digest(plaintext, at: path + Digest.size * level)
      node = index >> level & 1 == 1 ? Self.node(sibling, node) : Self.node(node, sibling)
    }
    return node
  }

  /// The leaf that stands for a packet of the session `id`.
  @inline(__always)
  package static func leaf(
    of id: Digest, _ direction: Direction, number: UInt64, frames: RawSpan, blinder: Digest
  ) -> Digest {
    BLAKE2b.hash("rk1 leaf", key: blinder) { hash in
      hash.update(id)
      hash.update(direction.rawValue)
      hash.update(bigEndian: number)
      hash.update(frames)
    }
  }

  /// An inner node.
  package static func node(_ left: Digest, _ right: Digest) -> Digest {
    BLAKE2b.hash("rk1 node") { hash in
      hash.update(left)
      hash.update(right)
    }
  }

  /// What is signed: `L("roamkey/1 packets") ‖ depth1 ‖ root`.
  package static func withSignedBytes<R>(depth: Int, root: Digest, _ body: (RawSpan) -> R) -> R {
    var bytes = InlineArray<65, UInt8>(repeating: 0)
    var span = bytes.mutableSpan
    var output = span.mutableBytes
    output.withUnsafeMutableBytes { target in
      label.withUnsafeBytes { target.copyMemory(from: $0) }
      target[Digest.size] = UInt8(depth)
      root.withUnsafeBytes {
        UnsafeMutableRawBufferPointer(rebasing: target[(Digest.size + 1)...]).copyMemory(from: $0)
      }
    }
    return body(bytes.span.bytes)
  }

  /// Keeps packet signatures apart from all others of the same key.
  private static let label = Digest(domainLabel("roamkey/1 packets"))
}

/// `L(x)` of PROTOCOL: ASCII padded with zeros to 32 bytes.
package func domainLabel(_ text: StaticString) -> [UInt8] {
  var bytes = Array(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  precondition(bytes.count <= 32, "a domain label has at most 32 bytes")
  bytes.append(contentsOf: repeatElement(0, count: 32 - bytes.count))
  return bytes
}

extension SessionKeys {
  /// The blinder of a packet: without it, a signature shown around says nothing about the packet's contents.
  package borrowing func blinder(_ direction: Direction, _ phase: Phase, number: UInt64) -> Digest {
    BLAKE2b.hash("rk1 blind", key: memory, at: Self.offset(direction, Self.blindSlot(phase))) { hash in
      hash.update(bigEndian: number)
    }
  }

  /// The leaf that stands for a packet.
  package borrowing func leaf(
    _ direction: Direction, number: UInt64, frames: RawSpan, blinder: Digest
  ) -> Digest {
    SignatureTrailer.leaf(of: context.id, direction, number: number, frames: frames, blinder: blinder)
  }
}
