internal import Glibc
internal import RoamkeyCrypto
internal import RoamkeyEngine
internal import RoamkeyEvidence

/// The folder that parts are written to: private, with a limit, and one recorder's at a time.
///
/// A part's file is open only while something is written to it, so that a thousand sessions need no thousand
/// descriptors. No file of somebody else is written to or removed.
final class RecordingFolder {
  let path: String
  private let limit: Int
  private var directory: CInt
  private var files = RecordedFiles()

  /// - Throws: where it cannot be used, or another recorder has it.
  init(_ recording: Recording, recorder: PlayerID) throws(RoamkeyError) {
    path = recording.folder
    limit = recording.folderLimit
    directory = -1
    guard !path.isEmpty, !path.utf8.contains(0) else { throw Self.unusable(path, "no usable path") }
    var status = stat()
    if stat(path, &status) != 0, !Self.make(path[...]) { throw Self.unusable(path, Self.words(errno)) }
    directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard directory >= 0 else { throw Self.unusable(path, Self.words(errno)) }
    do throws(RoamkeyError) {
      guard fstat(directory, &status) == 0 else { throw Self.unusable(path, Self.words(errno)) }
      guard status.st_uid == geteuid(), status.st_mode & 0o077 == 0 else {
        throw Self.unusable(path, "others may look into it: it must be yours, with mode 0700")
      }
      guard flock(directory, LOCK_EX | LOCK_NB) == 0 else {
        let isInUse = errno == EWOULDBLOCK
        throw Self.unusable(path, isInUse ? "somebody else records there: take another one" : Self.words(errno))
      }
      try readNames(recorder)
    } catch {
      close(directory)
      directory = -1
      throw error
    }
  }

  deinit { release() }

  /// Somebody else may have it.
  func release() {
    if directory >= 0 { close(directory) }
    directory = -1
  }

  // MARK: Names

  private static let suffix = ".rkev"

  /// `20261124T020000Z-0123456789abcdef-000001.rkev`: when the part began, the session, the part.
  static func name(of header: EvidenceHeader, at time: UInt64) -> String {
    var seconds = time_t(clamping: time / 1_000_000)
    var parts = tm()
    gmtime_r(&seconds, &parts)
    func digits(_ number: Int, _ count: Int) -> String {
      let text = String(number)
      return String(repeating: "0", count: max(0, count - text.count)) + text
    }
    let day = digits(Int(parts.tm_year) + 1900, 4) + digits(Int(parts.tm_mon) + 1, 2) + digits(Int(parts.tm_mday), 2)
    let moment = digits(Int(parts.tm_hour), 2) + digits(Int(parts.tm_min), 2) + digits(Int(parts.tm_sec), 2)
    return "\(day)T\(moment)Z-\(header.session.prefix(16))-\(digits(Int(header.part), 6))\(suffix)"
  }

  /// Whether a name is one that a recorder has given.
  static func isOurs(_ name: String) -> Bool {
    guard name.hasSuffix(suffix) else { return false }
    let pieces = name.dropLast(suffix.count).split(separator: "-", omittingEmptySubsequences: false)
    guard pieces.count == 3, pieces[0].count == 16, pieces[1].count == 16, (6...10).contains(pieces[2].count) else {
      return false
    }
    let moment = Array(pieces[0].utf8)
    let isMoment = moment.indices.allSatisfy { place in
      switch place {
      case 8: moment[place] == UInt8(ascii: "T")
      case 15: moment[place] == UInt8(ascii: "Z")
      default: isDigit(moment[place])
      }
    }
    let isHexadecimal = pieces[1].utf8.allSatisfy { isDigit($0) || (0x61...0x66).contains($0) }
    return isMoment && isHexadecimal && pieces[2].utf8.allSatisfy(isDigit)
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

  /// Finds what this recorder has written before.
  private func readNames(_ recorder: PlayerID) throws(RoamkeyError) {
    // A descriptor of its own, since the list closes it.
    guard let list = fdopendir(openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) else {
      throw Self.unusable(path, Self.words(errno))
    }
    defer { closedir(list) }
    var names: [String] = []
    while let entry = readdir(list) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if Self.isOurs(name) { names.append(name) }
    }
    for name in names.sorted() {
      guard let (size, header) = look(at: name), header.recorderID == recorder else { continue }
      files.add(RecordedFile(name: name, size: size, header: header, part: nil))
    }
  }

  /// What a file says of itself; nil where it is none of a recorder.
  private func look(at name: String) -> (size: Int, header: EvidenceHeader)? {
    let file = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    // The longest header, and a little.
    var bytes = [UInt8](repeating: 0, count: 512)
    let count = read(file, &bytes, bytes.count)
    guard count > 0 else { return nil }
    var reader = EvidenceReader()
    reader.append(Array(bytes[..<count]))
    _ = try? reader.next()
    return reader.header.map { (Int(status.st_size), $0) }
  }

  // MARK: Files

  /// Removes files until so many bytes fit.
  /// - Parameter parts: of so many files.
  /// - Returns: those that are gone; nothing is written to them any more.
  func makeRoom(for bytes: Int, parts: Int) -> [RecordedFile] {
    // New files cost a block, old ones at most one more than they grow by.
    let gone = files.makeRoom(for: bytes + parts * RecordedFile.block, limit: limit)
    for file in gone { unlinkat(directory, file.name, 0) }
    return gone
  }

  /// Appends what a part has pending.
  func write(_ part: RecordedPart) throws(RoamkeyError) {
    // Its file had to go.
    if part.file?.isGone == true { return part.onWritten() }
    let isNew = part.file == nil
    let flags = O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC | (isNew ? O_CREAT | O_EXCL : 0)
    let file = openat(directory, part.name, flags, 0o600)
    guard file >= 0 else { throw Self.failed(path, Self.words(errno)) }
    defer { close(file) }
    if isNew { fchmod(file, 0o600) }
    var status = stat()
    guard fstat(file, &status) == 0, Int(status.st_size) == part.written else {
      throw Self.failed(path, "somebody else has changed \(part.name)")
    }
    do throws(RoamkeyError) {
      try Self.write(part.pending, to: file, behind: part.written, path)
    } catch {
      if isNew { unlinkat(directory, part.name, 0) }
      throw error
    }
    let added = part.pending.count
    part.onWritten()
    if let file = part.file {
      files.grow(file, by: added)
    } else {
      let file = RecordedFile(name: part.name, size: added, header: part.writer.header, part: part)
      part.file = file
      files.add(file)
    }
  }

  private static func write(_ bytes: [UInt8], to file: CInt, behind size: Int, _ path: String) throws(RoamkeyError) {
    let problem = bytes.withUnsafeBytes { bytes -> CInt? in
      var rest = bytes[...]
      while !rest.isEmpty {
        let count = Glibc.write(file, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        if count < 0 && errno == EINTR { continue }
        guard count > 0 else { return errno }
        rest = rest.dropFirst(count)
      }
      return nil
    }
    guard let problem else { return }
    // What is there ends with what was signed.
    _ = ftruncate(file, off_t(size))
    throw failed(path, words(problem))
  }

  /// The files that were written by this recorder and are still there, the oldest first.
  var written: [Recorder.Written] {
    files.written.map { Recorder.Written(path: "\(path)/\($0.name)", player: $0.player, session: $0.session) }
  }

  // MARK: Helpers

  /// Makes a folder, and those above it.
  private static func make(_ path: Substring) -> Bool {
    if mkdir(String(path), 0o700) == 0 || errno == EEXIST { return true }
    guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash > path.startIndex else { return false }
    return make(path[..<slash]) && (mkdir(String(path), 0o700) == 0 || errno == EEXIST)
  }

  private static func unusable(_ path: String, _ reason: String) -> RoamkeyError {
    RoamkeyError(.cannotRecord, "nothing can be recorded in \(KeyFileError.shown(path)): \(reason)")
  }

  private static func failed(_ path: String, _ reason: String) -> RoamkeyError {
    RoamkeyError(
      .cannotRecord, "recording in \(KeyFileError.shown(path)) has stopped (\(reason)): what comes now is not kept")
  }

  private static func words(_ number: CInt) -> String { String(cString: strerror(number)) }
}
