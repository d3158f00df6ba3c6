/// What the receiver's app gets: the bytes that message frames carry, put together.
///
/// `flags1 ‖ [author32] ‖ length1 ‖ action ‖ body`. Flags: the low two bits are the body's format, 0x04 says that
/// an author stands there; the others are reserved (0x08 for an author's own signature) and refused.
package struct MessageContent: Sendable, Equatable {
  /// How the body is meant.
  package enum Format: UInt8, Sendable {
    case bytes = 0
    case text = 1
    /// CBOR (RFC 8949).
    case cbor = 2
  }

  package var format: Format
  /// Who wrote it, in the word of whoever sends it: 32 bytes of public key where a host passes a message on.
  package var author: [UInt8]?
  /// A short name that tells the receiver what it is; empty where the app gave none.
  package var action: String
  package var body: [UInt8]

  /// The longest action in bytes of UTF-8.
  package static let maximumAction = 64
  /// The most bytes in front of a body: flags, author, length and action.
  package static let maximumHeader = 1 + 32 + 1 + maximumAction
  /// What a message costs of the credit beside its content, on both sides: small ones take memory too.
  package static let creditOverhead = 32
  private static let hasAuthor: UInt8 = 0x04

  package init(format: Format, author: [UInt8]? = nil, action: String, body: [UInt8]) {
    precondition(author == nil || author?.count == 32, "an author is a public key of 32 bytes")
    self.format = format
    self.author = author
    self.action = action
    self.body = body
  }

  /// - Precondition: `action` has at most 64 bytes of UTF-8.
  package func encoded() -> [UInt8] {
    precondition(action.utf8.count <= Self.maximumAction, "an action has at most 64 bytes")
    var bytes: [UInt8] = []
    bytes.reserveCapacity(34 + action.utf8.count + body.count)
    bytes.append(format.rawValue | (author == nil ? 0 : Self.hasAuthor))
    bytes += author ?? []
    bytes.append(UInt8(action.utf8.count))
    bytes += action.utf8
    bytes += body
    return bytes
  }

  package init(_ bytes: RawSpan) throws(WireError) {
    var position = 0
    let flags = try bytes.readByte(at: &position)
    guard flags & ~(Self.hasAuthor | 0x03) == 0, let format = Format(rawValue: flags & 0x03) else { throw .malformed }
    self.format = format
    author = flags & Self.hasAuthor != 0 ? bytes.array(try bytes.readRange(32, at: &position)) : nil
    let count = Int(try bytes.readByte(at: &position))
    guard count <= Self.maximumAction,
      let action = bytes.extracting(try bytes.readRange(count, at: &position)).text
    else { throw .malformed }
    self.action = action
    let body = bytes.extracting(position..<bytes.byteCount)
    if format == .text, body.text == nil { throw .malformed }
    self.body = bytes.array(position..<bytes.byteCount)
  }
}
