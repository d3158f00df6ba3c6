import Glibc

/// A statement of two keys: the old one hands over to the new one, and the new one takes over (PROTOCOL §12.6).
///
/// Whoever knew the old key may let the new one take its place. A value of this type was signed by both keys; but a
/// thief of the old key can sign such a statement as well. So the first one that somebody accepts stays: see
/// ``Handovers``.
public struct Handover: Hashable, Sendable {
  /// Who was known until now.
  public let old: PlayerID
  /// Who takes its place.
  public let new: PlayerID
  /// When it was signed, in seconds since 1970: the word of whoever signed.
  public let time: UInt64
  /// By the old key, then by the new one.
  private let signatures: [UInt8]

  /// The bytes of a statement.
  static let size = bodySize + 2 * Signature.size
  private static let version: UInt8 = 1
  private static let bodySize = 1 + 2 * Digest.size + 8
  private static let giving = label("roamkey/1 hand over"), taking = label("roamkey/1 take over")

  /// - Throws: ``HandoverError`` where it is none, or not signed by both.
  package init(_ bytes: [UInt8]) throws(HandoverError) {
    guard bytes.count == Self.size, bytes[0] == Self.version else { throw .damaged }
    let span = bytes.span.bytes
    old = PlayerID(publicKey: Digest(span, at: 1))
    new = PlayerID(publicKey: Digest(span, at: 1 + Digest.size))
    time = UInt64(bigEndian: span.unsafeLoadUnaligned(fromByteOffset: Self.bodySize - 8, as: UInt64.self))
    signatures = Array(bytes[Self.bodySize...])
    guard old != new else { throw .ofItself }
    let digest = Self.digest(Array(bytes[..<Self.bodySize]))
    for (id, label, offset) in [(old, Self.giving, 0), (new, Self.taking, Signature.size)] {
      let message = label + digest
      guard id.verify(Signature(span, at: Self.bodySize + offset), of: message.span.bytes) else { throw .forged }
    }
  }

  fileprivate init(
    from old: borrowing PlayerKey, to new: borrowing PlayerKey, time: UInt64
  ) throws(HandoverError) {
    guard old.id != new.id else { throw .ofItself }
    (self.old, self.new, self.time) = (old.id, new.id, time)
    let digest = Self.digest(Self.body(old.id, new.id, time))
    let (giving, taking) = (Self.giving + digest, Self.taking + digest)
    signatures = old.sign(giving.span.bytes).bytes + new.sign(taking.span.bytes).bytes
  }

  /// The 201 bytes.
  package var bytes: [UInt8] { Self.body(old, new, time) + signatures }

  private static func body(_ old: PlayerID, _ new: PlayerID, _ time: UInt64) -> [UInt8] {
    [version] + old.publicKey.bytes + new.publicKey.bytes + withUnsafeBytes(of: time.bigEndian) { Array($0) }
  }

  private static func digest(_ body: [UInt8]) -> [UInt8] {
    BLAKE2b.hash("rk1 handover") { $0.update(body.span.bytes) }.bytes
  }

  private static func label(_ text: String) -> [UInt8] {
    Array(text.utf8) + [UInt8](repeating: 0, count: 32 - text.utf8.count)
  }
}

extension PlayerKey {
  /// Hands over to `new`: a statement that both keys sign, with the clock's time.
  /// - Throws: ``HandoverError/ofItself`` where both are one key.
  public borrowing func handOver(to new: borrowing PlayerKey) throws(HandoverError) -> Handover {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    return try handOver(to: new, time: UInt64(max(0, now.tv_sec)))
  }

  /// The same at a time of the caller's.
  package borrowing func handOver(to new: borrowing PlayerKey, time: UInt64) throws(HandoverError) -> Handover {
    try Handover(from: self, to: new, time: time)
  }
}
