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
  /// - Throws: ``HandoverError`` where there is none, or one of them is damaged or forged.
  public static func all(in text: String) throws(HandoverError) -> [Handover] {
    let bytes = Array(text.utf8)
    let found = bytes.withUnsafeBytes { text in Result { () throws(HandoverError) in try all(in: text) } }
    return try found.get()
  }

  /// The statements in the file at `path`, which has at most 16 KiB, in order.
  /// - Throws: ``HandoverError``: as for a text, or where the file cannot be read.
  public static func load(_ path: String) throws(HandoverError) -> [Handover] {
    let file: KeyFileContents
    do throws(KeyFileError) {
      file = try KeyFileContents(path: path)
    } catch {
      throw .file(error)
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
    var rest = text
    while true {
      let frame: PEM.Frame
      do {
        frame = try PEM.frame(in: rest)
      } catch .noFrame {
        break
      } catch {
        throw .damaged
      }
      if frame.label == PEM.handoverLabel {
        let bytes = PEM.withDecoded(rest, frame.body) { $0.map { Array($0) } }
        guard let bytes else { throw .damaged }
        result.append(try Handover(bytes))
      }
      rest = UnsafeRawBufferPointer(rebasing: rest[frame.body.upperBound...])
    }
    guard !result.isEmpty else { throw .none }
    return result
  }
}
