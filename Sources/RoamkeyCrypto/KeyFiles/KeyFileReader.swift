import Glibc

/// A small file's bytes, in guarded memory since they may be a key.
struct KeyFileContents: ~Copyable {
  private let memory: SecretBytes
  private let count: Int
  /// Whether anybody but the owner has any right to the file.
  let isOpenToOthers: Bool

  /// The most that a key file may have, in bytes.
  static let maximumSize = 16 * 1024

  /// Reads the file at `path`; a symbolic link is followed.
  init(path: String) throws(KeyFileError) {
    guard !path.isEmpty, !path.utf8.contains(0) else { throw KeyFileError(.notFound, path) }
    // Without O_NONBLOCK, opening a pipe would wait for its writer.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    guard descriptor >= 0 else {
      throw errno == ENOENT || errno == ENOTDIR
        ? KeyFileError(.notFound, path) : KeyFileError(.cannotRead, path, errno: errno)
    }
    defer { close(descriptor) }
    // The opened file is asked, not the path: between two looks at a path the file may be another one.
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw KeyFileError(.cannotRead, path, errno: errno) }
    guard status.st_mode & S_IFMT != S_IFDIR else { throw KeyFileError(.isDirectory, path) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw KeyFileError(.notRegularFile, path) }

    let memory = SecretBytes(zeros: KeyFileContents.maximumSize + 1)
    let count = try KeyFileContents.fill(memory, from: descriptor, path)
    guard count <= KeyFileContents.maximumSize else { throw KeyFileError(.tooLarge, path) }
    self.memory = memory
    self.count = count
    isOpenToOthers = status.st_mode & 0o077 != 0
  }

  private static func fill(
    _ memory: borrowing SecretBytes, from descriptor: Int32, _ path: String
  ) throws(KeyFileError) -> Int {
    var total = 0
    while total < memory.count {
      let space = memory.count - total
      let received = Glibc.read(descriptor, memory.mutablePointer(at: total, size: space), space)
      if received < 0 && errno == EINTR { continue }
      guard received >= 0 else { throw KeyFileError(.cannotRead, path, errno: errno) }
      if received == 0 { break }
      total += received
    }
    return total
  }

  borrowing func withUnsafeBytes<R: ~Copyable, E: Error>(
    _ body: (UnsafeRawBufferPointer) throws(E) -> R
  ) throws(E) -> R {
    try memory.withUnsafeBytes { bytes throws(E) in try body(UnsafeRawBufferPointer(rebasing: bytes[..<count])) }
  }
}
