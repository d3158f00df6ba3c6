import Glibc

/// Why a server has no instance id to keep: one sentence that names the file and says what follows.
public enum InstanceFileError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Another server that runs now has the file.
  case inUse(path: String)
  /// It is not an instance file, which has 32 bytes; it was left as it is.
  case damaged(path: String)
  /// The system refused to read, write or lock it, in its own words.
  case unusable(path: String, reason: String)

  public var description: String {
    switch self {
    case .inUse(let path):
      "another server is running that has \(shownPath(path)), so players do not come back by themselves when this one "
        + "is started anew: give each server a key of its own"
    case .damaged(let path):
      "\(shownPath(path)) is not an instance file, so players do not come back by themselves when this server is "
        + "started anew: remove it, and a new one is made"
    case .unusable(let path, let reason):
      "\(shownPath(path)) cannot be used (\(reason)), so players do not come back by themselves when this server is "
        + "started anew: check the directory and its permissions"
    }
  }
}

/// The id of one server at one place, the same from run to run (PROTOCOL §6), and the lock on the file that keeps it.
///
/// Two servers with one id could end each other's sessions: whoever has a copied key, or is started twice, must not
/// have the same. So the file is locked for as long as this lives; the system gives the lock back when a process ends,
/// however it ends.
package final class InstanceID: Sendable {
  /// 32 random bytes; not secret, since nothing follows from them without the server's key.
  package let value: Digest
  private let descriptor: Int32

  /// Takes the id from the file at `path`; where there is none it is made (mode 0600).
  ///
  /// A missing directory is made (0700). Nothing is ever overwritten.
  /// - Throws: why there is no id to be had: nothing was locked then.
  package init(file path: String) throws(InstanceFileError) {
    let descriptor = try Self.openOrMake(path)
    do throws(InstanceFileError) {
      // `flock`, since it is this descriptor's own: two servers in one process exclude each other as well, and no other
      // descriptor of the file that is closed takes the lock away.
      guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
        throw errno == EWOULDBLOCK ? .inUse(path: path) : .unusable(path: path, reason: systemWords(errno))
      }
      value = try Self.read(descriptor, path)
    } catch {
      close(descriptor)
      throw error
    }
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  /// The instance file beside a key file: `keys/server.pem` gives `keys/server.instance`.
  package static func path(besideKeyFile path: String) -> String {
    let stem = path.hasSuffix(".pem") ? String(path.dropLast(4)) : path
    return stem + ".instance"
  }

  private static func openOrMake(_ path: String) throws(InstanceFileError) -> Int32 {
    guard !path.isEmpty, !path.utf8.contains(0) else { throw .unusable(path: path, reason: "no usable path") }
    if let descriptor = try open(path) { return descriptor }
    let id = SecretBytes(random: Digest.size)
    do throws(KeyFileError) {
      try id.withUnsafeBytes { bytes throws(KeyFileError) in
        try KeyFileWriter.write(bytes, to: path, mode: 0o600, overwrite: false)
      }
    } catch {
      // Another server had the same idea at the same moment; whoever locks the file has it.
      guard error.code == .alreadyExists else { throw .unusable(path: path, reason: error.detail) }
    }
    guard let descriptor = try open(path) else { throw .unusable(path: path, reason: systemWords(ENOENT)) }
    return descriptor
  }

  /// Nil where there is no such file.
  private static func open(_ path: String) throws(InstanceFileError) -> Int32? {
    // Without O_NONBLOCK, opening a pipe would wait for its writer.
    let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    if descriptor >= 0 { return descriptor }
    if errno == ENOENT { return nil }
    throw .unusable(path: path, reason: systemWords(errno))
  }

  private static func read(_ descriptor: Int32, _ path: String) throws(InstanceFileError) -> Digest {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw .unusable(path: path, reason: systemWords(errno)) }
    guard status.st_mode & S_IFMT == S_IFREG, status.st_size == Digest.size else { throw .damaged(path: path) }
    var bytes = [UInt8](repeating: 0, count: Digest.size)
    guard pread(descriptor, &bytes, bytes.count, 0) == bytes.count else { throw .damaged(path: path) }
    // Not what a file has that was cut off by a crash, and not random.
    guard bytes.contains(where: { $0 != 0 }) else { throw .damaged(path: path) }
    return Digest(bytes)
  }
}

/// What the system says of an error.
private func systemWords(_ number: Int32) -> String { String(cString: strerror(number)) }

private func shownPath(_ path: String) -> String { KeyFileError.shown(path) }
