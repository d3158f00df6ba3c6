extension Handover {
  /// As text: a frame of PEM (RFC 7468), which may stand in a file with others.
  public var text: String {
    encoded.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
  }

  private var encoded: SecretBytes {
    var bytes = bytes
    return SecretBytes(wiping: &bytes).withUnsafeBytes { PEM.encode(PEM.handoverLabel, $0) }
  }

  /// The statements in a text, in order: those of a chain, for instance. What is outside of their frames is ignored.
  ///
  /// It may be what a player has sent: a text that is longer than 16 KiB, room for 48 of them, is not looked at.
  /// - Throws: ``HandoverError`` where there is none, or one of them is damaged or forged, or the text is too long
  ///   (``HandoverError/damaged``).
  public static func all(in text: String) throws(HandoverError) -> [Handover] {
    guard text.utf8.count <= KeyFileContents.maximumSize else { throw .damaged }
    return try all(in: Array(text.utf8))
  }

  /// The same in text of any size, which the caller has bounded.
  package static func all(in text: [UInt8]) throws(HandoverError) -> [Handover] {
    let found = text.withUnsafeBytes { text in Result { () throws(HandoverError) in try all(in: text) } }
    return try found.get()
  }

  /// The statements in the file at `path`, which has at most 16 KiB, in order.
  /// - Throws: ``HandoverError``: as for a text, or where the file cannot be read.
  public static func load(_ path: String) throws(HandoverError) -> [Handover] {
    let file: KeyFileContents
    do throws(KeyFileError) {
      file = try KeyFileContents(path: path)
    } catch {
      throw .file(error.about(.handovers))
    }
    return try file.withUnsafeBytes { text throws(HandoverError) in try all(in: text) }
  }

  /// Writes it to a file that everybody may read (mode 0644), as a whole or not at all.
  /// - Parameter overwrite: whether a file of this name is replaced.
  /// - Throws: `KeyFileError`, which says what to do.
  public func save(to path: String, overwrite: Bool = false) throws(KeyFileError) {
    try encoded.withUnsafeBytes { text throws(KeyFileError) in
      try KeyFileWriter.write(text, to: path, mode: 0o644, overwrite: overwrite)
    }
  }

  private static func all(in text: UnsafeRawBufferPointer) throws(HandoverError) -> [Handover] {
    var result: [Handover] = []
    var position = 0
    while true {
      let body: Range<Int>
      do {
        body = try PEM.body(of: PEM.handoverLabel, in: text, from: position)
      } catch .noFrame {
        break
      } catch {
        throw .damaged
      }
      let bytes = PEM.withDecoded(text, body) { $0.map { Array($0) } }
      guard let bytes else { throw .damaged }
      result.append(try Handover(bytes))
      position = body.upperBound
    }
    guard !result.isEmpty else { throw .none }
    return result
  }
}
