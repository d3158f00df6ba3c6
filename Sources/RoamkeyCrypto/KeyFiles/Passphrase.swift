/// What protects a key file, in guarded memory.
public struct Passphrase: ~Copyable, Sendable {
  let secret: SecretBytes
  let count: Int

  var isEmpty: Bool { count == 0 }

  /// The text in UTF-8, as it is: no normalisation, nothing trimmed.
  ///
  /// The text itself is a Swift string, which cannot be wiped: prefer `init(contentsOfFile:)` where there is a choice.
  public init(_ text: String) {
    var bytes = Array(text.utf8)
    count = bytes.count
    // One byte at least, so that there is an address to give.
    if bytes.isEmpty { bytes = [0] }
    secret = SecretBytes(wiping: &bytes)
  }

  /// What was typed, from guarded memory.
  package init(_ text: borrowing SecretText) {
    count = text.count
    // One byte at least, so that there is an address to give.
    secret = text.withUnsafeBytes { $0.isEmpty ? SecretBytes(zeros: 1) : SecretBytes(copying: $0) }
  }

  /// The first line of the file at `path`, without its line end. The file has at most 16 KiB.
  /// - Throws: `KeyFileError`, for instance where others can read the file or its first line is empty.
  public init(contentsOfFile path: String) throws(KeyFileError) {
    let file: KeyFileContents
    do throws(KeyFileError) {
      file = try KeyFileContents(path: path)
    } catch {
      throw error.ofPassphrase()
    }
    guard !file.isOpenToOthers else { throw KeyFileError(.readableByOthers, path) }
    var size = 0
    let line = file.withUnsafeBytes { bytes in
      var line = bytes[..<(bytes.firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count)]
      if line.last == UInt8(ascii: "\r") { line = line.dropLast() }
      size = line.count
      return SecretBytes(copying: UnsafeRawBufferPointer(rebasing: line.isEmpty ? bytes.prefix(1) : line))
    }
    guard size > 0 else { throw KeyFileError(.emptyPassphrase, path).ofPassphrase() }
    secret = line
    count = size
  }
}
