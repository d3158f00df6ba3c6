internal import Glibc

/// A file that is read in pieces.
struct EvidenceFile: ~Copyable {
  private let descriptor: CInt
  private static let pieceSize = 64 << 10

  private init(descriptor: CInt) { self.descriptor = descriptor }

  deinit { close(descriptor) }

  static func open(_ path: String) throws(EvidenceError) -> EvidenceFile {
    guard !path.isEmpty, !path.utf8.contains(0) else { throw .unusable(reason: "no usable path") }
    // Without O_NONBLOCK, opening a pipe would wait for its writer.
    let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    guard descriptor >= 0 else { throw .unusable(reason: words(errno)) }
    let file = EvidenceFile(descriptor: descriptor)
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw .unusable(reason: words(errno)) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw .unusable(reason: "it is no regular file") }
    return file
  }

  /// The next bytes; none at the end.
  func read() throws(EvidenceError) -> [UInt8] {
    while true {
      var count = 0
      let bytes = [UInt8](unsafeUninitializedCapacity: Self.pieceSize) { buffer, size in
        count = Glibc.read(descriptor, buffer.baseAddress, Self.pieceSize)
        size = max(0, count)
      }
      if count >= 0 { return bytes }
      guard errno == EINTR else { throw .unusable(reason: Self.words(errno)) }
    }
  }

  private static func words(_ number: CInt) -> String { String(cString: strerror(number)) }
}
