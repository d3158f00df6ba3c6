/// An author's own signature on a message: `run8 ‖ number8 ‖ signature64` (PROTOCOL §9.8).
package struct AuthorProof: Sendable, Hashable {
  package static let size = 80

  /// Random, one for each start of the author's client.
  package var run: UInt64
  /// Of the author's signed messages in that run, from 1.
  package var number: UInt64
  /// 64 bytes.
  package var signature: [UInt8]

  /// Where a signature is to be made.
  package static let blank = [UInt8](repeating: 0, count: size)

  package init(run: UInt64, number: UInt64, signature: [UInt8]) {
    precondition(signature.count == 64, "an Ed25519 signature has 64 bytes")
    self.run = run
    self.number = number
    self.signature = signature
  }

  /// - Precondition: 80 bytes, as `MessageContent` reads them.
  package init(_ bytes: [UInt8]) {
    precondition(bytes.count == Self.size, "a proof has 80 bytes")
    func number(at offset: Int) -> UInt64 { bytes[offset..<(offset + 8)].reduce(0) { $0 << 8 | UInt64($1) } }
    self.init(run: number(at: 0), number: number(at: 8), signature: Array(bytes[16...]))
  }

  /// Whether it is still to be made; of what was received: no proof at all.
  package var isBlank: Bool { number == 0 }

  package var bytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(bigEndian: run)
    bytes.append(bigEndian: number)
    return bytes + signature
  }
}
