internal import Glibc

/// Small text files: lists of players, known servers.
package enum TextFile {
  /// 16 MiB: some 200,000 players.
  package static let maximumSize = 16 << 20

  /// The file's text, nil when there is no such file.
  package static func read(_ path: String) throws(Failure) -> String? {
    guard let bytes = try bytes(path) else { return nil }
    return try text(bytes, path)
  }

  /// What is in the file, text or not; nil when there is no such file.
  package static func bytes(_ path: String) throws(Failure) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno == ENOENT { return nil }
      throw Failure(code: "file", "\(path) cannot be read (\(Self.systemWords())): check the file and its permissions")
    }
    defer { close(descriptor) }
    return try bytes(descriptor, path)
  }

  /// The text behind an open descriptor; `path` is for the words of a failure.
  package static func read(_ descriptor: CInt, _ path: String) throws(Failure) -> String {
    try text(bytes(descriptor, path), path)
  }

  private static func text(_ bytes: [UInt8], _ path: String) throws(Failure) -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw Failure(code: "file", "\(path) is not a text file in UTF-8: repair it, or check the path")
    }
    return text
  }

  private static func bytes(_ descriptor: CInt, _ path: String) throws(Failure) -> [UInt8] {
    var bytes: [UInt8] = []
    let chunk = 64 << 10
    while true {
      var count = 0
      bytes.append(
        contentsOf: [UInt8](unsafeUninitializedCapacity: chunk) { buffer, used in
          count = Glibc.read(descriptor, buffer.baseAddress, chunk)
          used = max(0, count)
        })
      if count < 0 {
        if errno == EINTR { continue }
        throw Failure(code: "file", "\(path) cannot be read (\(systemWords())): check the file and its permissions")
      }
      guard bytes.count <= maximumSize else {
        throw Failure(code: "file", "\(path) is larger than \(maximumSize >> 20) MiB: check the path")
      }
      if count == 0 { return bytes }
    }
  }

  /// Adds whole lines to a file that is open with `O_APPEND` and locked, and has `text`: all of them or, where the disk
  /// is full for instance, nothing. A tail would make the file one that cannot be read.
  /// - Returns: whether they are on the disk; where they are not, `errno` says why.
  static func append(_ lines: String, behind text: String, _ descriptor: CInt) -> Bool {
    let newline = UInt8(ascii: "\n")
    let bytes = (text.utf8.last ?? newline == newline ? [] : [newline]) + Array(lines.utf8)
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return false }
    if write(bytes, descriptor), fsync(descriptor) == 0 { return true }
    let reason = errno
    // Nothing more can be done where this fails too; but it needs no space.
    _ = ftruncate(descriptor, status.st_size)
    errno = reason
    return false
  }

  /// The rest after a short count is tried once more, so that the system says what is in the way.
  private static func write(_ bytes: [UInt8], _ descriptor: CInt) -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return false }
      rest = rest.dropFirst(count)
    }
    return true
  }

  /// What the system says of the last error.
  package static func systemWords() -> String { String(cString: strerror(errno)) }

  /// A line that says something.
  package struct Line: Equatable {
    /// From 1.
    package var number: Int
    /// What stands before `#`, at least one.
    package var words: [String]

    package init(number: Int, words: [String]) { (self.number, self.words) = (number, words) }
  }

  /// The lines with something before `#`.
  package static func lines(_ text: String) -> [Line] {
    places(text).map { Line(number: $0.number, words: $0.words.map { String($0) }) }
  }

  /// The same with the place of each word in the text.
  static func places(_ text: String) -> [(number: Int, words: [Substring.UnicodeScalarView])] {
    // By `isNewline`, since "\r\n" is one `Character`; the rest by scalars, since a `#` or a space and a mark behind it
    // are one as well.
    text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated().compactMap { index, line in
      let words = line.unicodeScalars.prefix { $0 != "#" }.split { $0.properties.isWhitespace }
      return words.isEmpty ? nil : (index + 1, words)
    }
  }
}

extension TextFile {
  /// Whether there is anything at `path`.
  package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  /// Whether nothing is there, or a file or a link, which another file may replace.
  package static func isReplaceable(_ path: String) -> Bool {
    var status = stat()
    guard lstat(path, &status) == 0 else { return true }
    return [S_IFREG, S_IFLNK].contains(status.st_mode & S_IFMT)
  }
}
