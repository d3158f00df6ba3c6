/// A connection id of 0 to 20 bytes (RFC 8999 §5.3): chosen by the receiver, so that packets find their session
/// whatever address they come from. Ours have 8 bytes, or none for a client with a socket of its own.
package struct ConnectionID: Hashable, Sendable {
  /// How many bytes it has.
  package let count: Int
  // Left-aligned in 24 bytes; the unused ones are zero, so that equality is a comparison of words.
  private var words: (UInt64, UInt64, UInt64) = (0, 0, 0)

  package static let maximumCount = 20
  /// The size of every id that this implementation chooses for packets it wants to route.
  package static let routedCount = 8

  /// The empty id.
  package init() { count = 0 }

  /// An id of 8 bytes, in network byte order.
  package init(_ value: UInt64) {
    count = 8
    words.0 = value
  }

  /// The bytes of `span` in `range`, at most 20.
  package init(_ span: RawSpan, _ range: Range<Int>) throws(WireError) {
    guard range.count <= Self.maximumCount else { throw .malformed }
    count = range.count
    var words = (UInt64(0), UInt64(0), UInt64(0))
    withUnsafeMutableBytes(of: &words) { target in
      for (i, position) in range.enumerated() {
        target[i] = span.unsafeLoad(fromByteOffset: position, as: UInt8.self)
      }
    }
    self.words = (words.0.bigEndian, words.1.bigEndian, words.2.bigEndian)
  }

  package init(_ bytes: [UInt8]) throws(WireError) { try self.init(bytes.span.bytes, 0..<bytes.count) }

  /// The value of an id of 8 bytes, the key of routing tables; nil for other sizes.
  package var routingKey: UInt64? { count == 8 ? words.0 : nil }

  package func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
    let ordered = (words.0.bigEndian, words.1.bigEndian, words.2.bigEndian)
    return Swift.withUnsafeBytes(of: ordered) { body(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
  }

  package var bytes: [UInt8] { withUnsafeBytes { Array($0) } }

  package static func == (a: ConnectionID, b: ConnectionID) -> Bool {
    a.count == b.count && a.words.0 == b.words.0 && a.words.1 == b.words.1 && a.words.2 == b.words.2
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(count)
    hasher.combine(words.0)
    hasher.combine(words.1)
    hasher.combine(words.2)
  }
}
