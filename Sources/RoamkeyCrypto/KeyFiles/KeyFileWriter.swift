import Glibc
import RoamkeySodium

/// Writes a file as a whole or not at all.
///
/// 1. The directory is made where it is missing (0700).
/// 2. The bytes go to a new file of a random name in the same directory, and to the disk.
/// 3. That file gets its name: by `linkat`, which fails where the name is taken, even in a race; or by `renameat`,
///    which replaces. (`renameat2` could do both, but is not in Swift's Glibc.)
/// 4. The directory goes to the disk.
package enum KeyFileWriter {
  /// Fails early, before the work of a passphrase, where `write` would find the name taken.
  static func checkFree(_ path: String) throws(KeyFileError) {
    var status = stat()
    guard lstat(path, &status) == 0 else { return }
    throw KeyFileError(status.st_mode & S_IFMT == S_IFDIR ? .isDirectory : .alreadyExists, path)
  }

  /// Only a file, or a link to one, may be replaced: `renameat` would put the key in the place of a device, too.
  static func checkReplaceable(_ path: String) throws(KeyFileError) {
    var status = stat()
    guard lstat(path, &status) == 0 else { return }
    switch status.st_mode & S_IFMT {
    case S_IFREG, S_IFLNK: return
    case S_IFDIR: throw KeyFileError(.isDirectory, path)
    default: throw KeyFileError(.notRegularFile, path)
    }
  }

  /// Writes what is no key, for its owner alone (mode 0600), in the place of whatever file is there.
  /// - Throws: `KeyFileError`; where the file cannot be written its `detail` has the system's words.
  package static func replace(_ path: String, with bytes: [UInt8]) throws(KeyFileError) {
    let result = bytes.withUnsafeBytes { bytes in
      Result { () throws(KeyFileError) in try write(bytes, to: path, mode: 0o600, overwrite: true) }
    }
    try result.get()
  }

  /// Writes a secret that is no key file for its owner alone (mode 0600).
  package static func writeSecret(
    _ bytes: UnsafeRawBufferPointer, to path: String, overwrite: Bool
  ) throws(KeyFileError) {
    try write(bytes, to: path, mode: 0o600, overwrite: overwrite)
  }

  static func write(
    _ bytes: UnsafeRawBufferPointer, to path: String, mode: mode_t, overwrite: Bool
  ) throws(KeyFileError) {
    guard !path.isEmpty, !path.utf8.contains(0) else { throw KeyFileError(.cannotWrite, path, "no usable path") }
    let (directoryPath, name) = split(path)
    guard !name.isEmpty, name != ".", name != ".." else { throw KeyFileError(.isDirectory, path) }
    if overwrite { try checkReplaceable(path) }
    try makeDirectories(directoryPath, for: path)
    let directory = open(directoryPath, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard directory >= 0 else { throw KeyFileError(.cannotWrite, path, errno: errno) }
    defer { close(directory) }

    let temporary = ".roamkey-\(randomName()).tmp"
    // O_NOFOLLOW says again what O_EXCL means: nothing that somebody has put there is written through.
    let file = openat(directory, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw KeyFileError(.cannotWrite, path, errno: errno) }
    // After a rename there is nothing left to remove, and nothing else has this name.
    defer { unlinkat(directory, temporary, 0) }
    do {
      defer { close(file) }
      try fill(file, with: bytes, mode: mode, path)
    }
    try give(temporary, the: name, in: directory, overwrite: overwrite, path)
    // Not an error where it fails: the file is there, whole, and only a power cut could still undo that.
    _ = fsync(directory)
  }

  private static func fill(
    _ file: Int32, with bytes: UnsafeRawBufferPointer, mode: mode_t, _ path: String
  ) throws(KeyFileError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let written = Glibc.write(file, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
      if written < 0 && errno == EINTR { continue }
      guard written > 0 else { throw KeyFileError(.cannotWrite, path, errno: errno) }
      rest = rest.dropFirst(written)
    }
    // Exactly this mode, whatever the umask says.
    guard fchmod(file, mode) == 0, fsync(file) == 0 else { throw KeyFileError(.cannotWrite, path, errno: errno) }
  }

  private static func give(
    _ temporary: String, the name: String, in directory: Int32, overwrite: Bool, _ path: String
  ) throws(KeyFileError) {
    let status =
      overwrite
      ? renameat(directory, temporary, directory, name) : linkat(directory, temporary, directory, name, 0)
    guard status != 0 else { return }
    switch errno {
    case EEXIST:
      try checkFree(path)
      throw KeyFileError(.alreadyExists, path)
    case EISDIR, ENOTEMPTY: throw KeyFileError(.isDirectory, path)
    case let number: throw KeyFileError(.cannotWrite, path, errno: number)
    }
  }

  private static func makeDirectories(_ directory: String, for path: String) throws(KeyFileError) {
    var status = stat()
    if stat(directory, &status) == 0 { return }
    let (parent, name) = split(directory)
    if !name.isEmpty && parent != directory { try makeDirectories(parent, for: path) }
    guard mkdir(directory, 0o700) == 0 || errno == EEXIST else { throw KeyFileError(.cannotWrite, path, errno: errno) }
  }

  /// The directory and the last component of a path.
  private static func split(_ path: String) -> (directory: String, name: String) {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return (".", path) }
    let name = String(path[path.utf8.index(after: slash)...])
    return (slash == path.startIndex ? "/" : String(path[..<slash]), name)
  }

  private static func randomName() -> String {
    _ = Sodium.ready
    var number = UInt64(0)
    withUnsafeMutableBytes(of: &number) { randombytes_buf($0.baseAddress!, $0.count) }
    return String(number, radix: 36)
  }
}
