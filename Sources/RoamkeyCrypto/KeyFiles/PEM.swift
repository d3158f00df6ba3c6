import RoamkeySodium

/// The textual frame of key files (RFC 7468): base64 between a BEGIN and an END line.
enum PEM {
  static let privateLabel = "PRIVATE KEY"
  static let publicLabel = "PUBLIC KEY"
  /// Our own form with a passphrase, see `SealedKey`.
  static let sealedLabel = "ROAMKEY ENCRYPTED PRIVATE KEY"
  /// A statement of two keys, see `Handover`.
  static let handoverLabel = "ROAMKEY HANDOVER"

  /// Where the first frame of a file is.
  struct Frame: Equatable {
    let label: String
    /// The base64 text, line ends included.
    let body: Range<Int>
  }

  enum ParsingError: Error {
    case noFrame, noEnd, badBase64
  }

  private static let begin = Array("-----BEGIN ".utf8), end = Array("-----END ".utf8), dashes = Array("-----".utf8)
  private static let maximumLabelSize = 64, lineSize = 64

  /// The first frame; text before it is allowed, as other tools write some.
  static func frame(in bytes: UnsafeRawBufferPointer) throws(ParsingError) -> Frame {
    var position = 0
    var label: String?
    var bodyStart = 0
    while position < bytes.count {
      let lineEnd = bytes[position...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
      let line = UnsafeRawBufferPointer(rebasing: bytes[position..<lineEnd])
      if let label {
        if self.label(of: line, after: end) == label { return Frame(label: label, body: bodyStart..<position) }
      } else if let found = self.label(of: line, after: begin) {
        label = found
        bodyStart = min(lineEnd + 1, bytes.count)
      }
      position = lineEnd + 1
    }
    throw label == nil ? .noFrame : .noEnd
  }

  private static func label(of line: UnsafeRawBufferPointer, after start: [UInt8]) -> String? {
    var line = line[...]
    while let last = line.last, last == 13 || last == 32 || last == 9 { line = line.dropLast() }
    guard line.starts(with: start) else { return nil }
    line = line.dropFirst(start.count)
    guard line.count > dashes.count, line.suffix(dashes.count).elementsEqual(dashes) else { return nil }
    line = line.dropLast(dashes.count)
    guard line.count <= maximumLabelSize, line.allSatisfy({ (32...126).contains($0) }) else { return nil }
    return String(decoding: line, as: UTF8.self)
  }

  /// The bytes of a frame's base64 text (padded, canonical; white space ignored), given to `body`.
  static func withDecoded<R: ~Copyable, E: Error>(
    _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, _ body: (UnsafeRawBufferPointer?) throws(E) -> R
  ) throws(E) -> R {
    let text = UnsafeRawBufferPointer(rebasing: bytes[range])
    guard let source = text.baseAddress, !text.isEmpty else { return try body(nil) }
    let decoded = SecretBytes(zeros: text.count)
    var count = 0
    let status = sodium_base642bin(
      decoded.mutablePointer(at: 0, size: text.count), text.count, source.assumingMemoryBound(to: CChar.self),
      text.count, "\r\n\t ", &count, nil, sodium_base64_VARIANT_ORIGINAL)
    guard status == 0 else { return try body(nil) }
    return try decoded.withUnsafeBytes { bytes throws(E) in
      try body(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
    }
  }

  /// The text of a whole file, in guarded memory.
  static func encode(_ label: String, _ bytes: UnsafeRawBufferPointer) -> SecretBytes {
    let base64Size = sodium_base64_encoded_len(bytes.count, sodium_base64_VARIANT_ORIGINAL) - 1
    let base64 = SecretBytes(zeros: base64Size + 1)
    if let source = bytes.baseAddress {
      sodium_bin2base64(
        UnsafeMutableRawPointer(base64.mutablePointer(at: 0, size: base64Size + 1)).assumingMemoryBound(
          to: CChar.self), base64Size + 1, source.assumingMemoryBound(to: UInt8.self), bytes.count,
        sodium_base64_VARIANT_ORIGINAL)
    }
    let head = Array("-----BEGIN \(label)-----\n".utf8)
    let tail = Array("-----END \(label)-----\n".utf8)
    let lines = (base64Size + lineSize - 1) / lineSize
    let text = SecretBytes(zeros: head.count + base64Size + lines + tail.count)
    var position = 0
    put(head, head.count, in: text, at: &position)
    for start in stride(from: 0, to: base64Size, by: lineSize) {
      let count = min(lineSize, base64Size - start)
      put(base64.pointer(at: start, size: count), count, in: text, at: &position)
      put([UInt8(ascii: "\n")], 1, in: text, at: &position)
    }
    put(tail, tail.count, in: text, at: &position)
    return text
  }

  private static func put(
    _ bytes: UnsafePointer<UInt8>, _ count: Int, in text: borrowing SecretBytes, at position: inout Int
  ) {
    text.mutablePointer(at: position, size: count).update(from: bytes, count: count)
    position += count
  }
}
