import Foundation
import RoamkeyCrypto
import RoamkeyWire
import Testing

@testable import RoamkeyEngine

/// PROTOCOL §4: trees of each depth, made by another implementation, written and read.
struct TreeVectorTests {
  struct Tree: Decodable, CustomTestStringConvertible {
    struct Packet: Decodable {
      let number: UInt64
      let frames: String
      let leaf: String
      let trailer: String
    }
    let depth: Int
    let packets: [Packet]

    var testDescription: String { "\(packets.count) packets" }
  }

  private struct File: Decodable { let trees: [Tree] }

  static func trees() throws -> [Tree] {
    let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Vectors/signature_trees.json")
    return try JSONDecoder().decode(File.self, from: Data(contentsOf: url)).trees
  }

  private static func bytes(_ hex: String) -> [UInt8] {
    let digits = hex.utf8.map { UInt8($0 > 0x39 ? $0 - 0x57 : $0 - 0x30) }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
  }

  private static func verify(_ plaintext: [UInt8], _ leaf: Digest, _ peer: PlayerID) -> Bool {
    guard let trailer = try? SignatureTrailer(plaintext.span.bytes) else { return false }
    var verifier = SignatureVerifier(peer: peer)
    return verifier.verify(trailer, leaf: leaf, plaintext.span.bytes)
  }

  @Test func allDepthsAreThere() throws {
    #expect(Set(try Self.trees().map(\.depth)) == [1, 2, 3, 4])
  }

  @Test(arguments: try TreeVectorTests.trees())
  func writing(tree: Tree) throws {
    let vector = try ReferenceVectorTests.Case("scid0")
    let pair = try ReferenceVectorTests.handshake(vector)
    var signing = SigningTree()
    signing.begin(depth: tree.depth)
    for packet in tree.packets {
      let frames = Self.bytes(packet.frames)
      let leaf = pair.established.keys.leaf(
        .initiatorToResponder, number: packet.number, frames: frames.span.bytes,
        blinder: pair.established.keys.blinder(.initiatorToResponder, .current, number: packet.number))
      #expect(leaf.bytes == Self.bytes(packet.leaf))
      signing.append(leaf)
    }
    signing.sign(with: try vector.key("edSeedInitiator"))
    for (i, packet) in tree.packets.enumerated() {
      let expected = Self.bytes(packet.trailer)
      var datagram = [UInt8](repeating: 0xee, count: 3 + expected.count + 16)
      datagram.withUnsafeMutableBytes { bytes in
        var span = MutableRawSpan(_unsafeBytes: bytes)
        signing.writeTrailer(of: i, to: &span, at: 3)
      }
      #expect(Array(datagram[3..<3 + expected.count]) == expected, "packet \(i)")
      #expect(datagram[..<3] + datagram.suffix(16) == [UInt8](repeating: 0xee, count: 19), "nothing else is touched")
    }
  }

  /// Each packet is evidence of its own: a verifier that has seen none of the others takes it.
  @Test(arguments: try TreeVectorTests.trees())
  func readingEachAlone(tree: Tree) throws {
    let peer = try ReferenceVectorTests.Case("scid0").key("edSeedInitiator").id
    for packet in tree.packets {
      let plaintext = Self.bytes(packet.frames) + Self.bytes(packet.trailer)
      #expect(Self.verify(plaintext, Digest(Self.bytes(packet.leaf)), peer))
    }
  }

  @Test("index, depth, path, signature: whatever is altered, it is refused", arguments: try TreeVectorTests.trees())
  func tampering(tree: Tree) throws {
    let peer = try ReferenceVectorTests.Case("scid0").key("edSeedInitiator").id
    let packet = try #require(tree.packets.last)
    let leaf = Digest(Self.bytes(packet.leaf))
    let frames = Self.bytes(packet.frames)
    let honest = frames + Self.bytes(packet.trailer)
    for position in frames.count..<honest.count {
      var altered = honest
      altered[position] ^= 1 << UInt8(position % 8)
      #expect(!Self.verify(altered, leaf, peer), "byte \(position) of \(honest.count)")
    }
    // Each other last byte: another index, another depth.
    for last in UInt8.min...UInt8.max where last != honest.last {
      #expect(!Self.verify(honest.dropLast() + [last], leaf, peer), "last byte \(last)")
    }
    // A path that is one level shorter, or longer.
    let index = UInt8(tree.packets.count - 1)
    let shorter = honest.dropLast(33) + [UInt8(tree.depth - 1) << 4 | index & (1 << UInt8(tree.depth - 1) - 1)]
    #expect(!Self.verify(Array(shorter), leaf, peer))
    let longer = honest.dropLast() + [UInt8](repeating: 0, count: 32) + [UInt8(tree.depth + 1) << 4 | index]
    #expect(!Self.verify(Array(longer), leaf, peer))
  }
}
