/// What the receiver's app gets: the bytes that message frames carry, put together.
///
/// `flags1 ‖ [time3] ‖ [author32] ‖ [proof80] ‖ [length1 ‖ action] ‖ body`. Flags: the low two bits are the body's
/// format, the others say what stands there (PROTOCOL §9.2).
package struct MessageContent: Sendable, Equatable {
  /// How the body is meant.
  package enum Format: UInt8, Sendable {
    case bytes = 0
    case text = 1
    /// CBOR (RFC 8949).
    case cbor = 2
  }

  package var format: Format
  /// When it was sent: the low 24 bits of milliseconds of its sender's clock.
  package var time: UInt32?
  /// Whether the sender wants to be told that the app was handed it.
  package var wantsReceipt = false
  /// Who wrote it, in the word of whoever sends it: 32 bytes of public key where a host passes a message on.
  package var author: [UInt8]?
  /// The author's own signature, as bytes of an `AuthorProof`; of one with the number 0 it is still to be made.
  package var proof: [UInt8]?
  /// A short name that tells the receiver what it is; empty where the app gave none.
  package var action: String
  package var body: [UInt8]

  /// The longest action in bytes of UTF-8.
  package static let maximumAction = 64
  /// The most bytes in front of a body: flags, time, author, proof, length and action.
  package static let maximumHeader = 1 + 3 + 32 + AuthorProof.size + 1 + maximumAction
  /// What a message costs of the credit beside its content, on both sides: small ones take memory too.
  package static let creditOverhead = 32

  private static let formatBits: UInt8 = 0x03
  private static let hasAuthor: UInt8 = 0x04
  private static let hasProof: UInt8 = 0x08
  private static let hasAction: UInt8 = 0x10
  private static let hasTime: UInt8 = 0x20
  private static let asksForReceipt: UInt8 = 0x40

  package init(
    format: Format, time: UInt32? = nil, wantsReceipt: Bool = false, author: [UInt8]? = nil, proof: [UInt8]? = nil,
    action: String, body: [UInt8]
  ) {
    precondition(author == nil || author?.count == 32, "an author is a public key of 32 bytes")
    self.format = format
    self.time = time
    self.wantsReceipt = wantsReceipt
    self.author = author
    self.proof = proof
    self.action = action
    self.body = body
  }

  /// - Precondition: `action` has at most 64 bytes of UTF-8.
  package func encoded() -> [UInt8] {
    Self.encode(
      format: format, time: time, wantsReceipt: wantsReceipt, author: author, proof: proof, action: action, body: body)
  }

  /// What `encoded` of such a content gives, without making one.
  /// - Precondition: `action` has at most 64 bytes of UTF-8.
  package static func encode(
    format: Format, time: UInt32?, wantsReceipt: Bool, author: [UInt8]?, proof: [UInt8]? = nil, action: String,
    body: [UInt8]
  ) -> [UInt8] {
    let actionSize = action.utf8.count
    precondition(actionSize <= maximumAction, "an action has at most 64 bytes")
    precondition(proof == nil || proof?.count == AuthorProof.size, "a proof has 80 bytes")
    let size =
      1 + (time == nil ? 0 : 3) + (author?.count ?? 0) + (proof?.count ?? 0)
      + (actionSize == 0 ? 0 : 1 + actionSize) + body.count
    var bytes = [UInt8](repeating: 0, count: size)
    bytes.withUnsafeMutableBytes { buffer in
      var output = OutputRawSpan(buffer: buffer, initializedCount: 0)
      output.append(
        format.rawValue | (author == nil ? 0 : hasAuthor) | (proof == nil ? 0 : hasProof)
          | (actionSize == 0 ? 0 : hasAction)
          | (time == nil ? 0 : hasTime) | (wantsReceipt ? asksForReceipt : 0))
      if let time {
        output.append(UInt8(truncatingIfNeeded: time >> 16))
        output.append(bigEndian: UInt16(truncatingIfNeeded: time))
      }
      if let author { output.append(contentsOf: author.span.bytes) }
      if let proof { output.append(contentsOf: proof.span.bytes) }
      if actionSize > 0 {
        output.append(UInt8(actionSize))
        for byte in action.utf8 { output.append(byte) }
      }
      output.append(contentsOf: body.span.bytes)
      _ = output.finalize(for: buffer)
    }
    return bytes
  }

  package init(_ bytes: RawSpan) throws(WireError) {
    try self.init(bytes) { bytes.array($0..<bytes.byteCount) }
  }

  /// The same, of bytes that nobody else needs: the body stays in their memory.
  package init(_ bytes: consuming [UInt8]) throws(WireError) {
    var start = 0
    self = try Self(bytes.span.bytes) {
      start = $0
      return []
    }
    bytes.removeFirst(start)
    body = bytes
  }

  /// - Parameter takeBody: gives the body that begins there.
  private init(_ bytes: RawSpan, body takeBody: (Int) -> [UInt8]) throws(WireError) {
    var position = 0
    let flags = try bytes.readByte(at: &position)
    let known = Self.formatBits | Self.hasAuthor | Self.hasProof | Self.hasAction | Self.hasTime | Self.asksForReceipt
    guard flags & ~known == 0, let format = Format(rawValue: flags & Self.formatBits) else { throw .malformed }
    self.format = format
    wantsReceipt = flags & Self.asksForReceipt != 0
    time = nil
    if flags & Self.hasTime != 0 {
      var value: UInt32 = 0
      for _ in 0..<3 { value = value << 8 | UInt32(try bytes.readByte(at: &position)) }
      time = value
    }
    author = flags & Self.hasAuthor != 0 ? bytes.array(try bytes.readRange(32, at: &position)) : nil
    proof = flags & Self.hasProof != 0 ? bytes.array(try bytes.readRange(AuthorProof.size, at: &position)) : nil
    action = flags & Self.hasAction != 0 ? try Self.readAction(bytes, at: &position) : ""
    let body = bytes.extracting(position..<bytes.byteCount)
    if format == .text, body.text == nil { throw .malformed }
    self.body = takeBody(position)
  }

  /// One encoding only: no action is said by its flag, not by a length of 0.
  private static func readAction(_ bytes: RawSpan, at position: inout Int) throws(WireError) -> String {
    let count = Int(try bytes.readByte(at: &position))
    guard (1...maximumAction).contains(count),
      let action = bytes.extracting(try bytes.readRange(count, at: &position)).text
    else { throw .malformed }
    return action
  }
}

extension MessageContent {
  /// Where the proof stands in content as it is encoded, if it is one that is still to be made: its number is 0.
  package static func blankProof(in bytes: [UInt8]) -> Int? {
    guard let flags = bytes.first, flags & hasProof != 0 else { return nil }
    let start = 1 + (flags & hasTime == 0 ? 0 : 3) + (flags & hasAuthor == 0 ? 0 : 32)
    guard bytes.count >= start + AuthorProof.size else { return nil }
    return bytes[(start + 8)..<(start + 16)].allSatisfy { $0 == 0 } ? start : nil
  }
}
