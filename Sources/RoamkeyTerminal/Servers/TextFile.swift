internal import Glibc

/// Small text files: lists of players, known servers.
package enum TextFile {
  /// 16 MiB: some 200,000 players.
  package static let maximumSize = 16 << 20

  /// The file's text, nil when there is no such file.
  package static func read(_ path: String) throws(Failure) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno == ENOENT { return nil }
      throw Failure(code: "file", "\(path) cannot be read (\(Self.systemWords())): check the file and its permissions")
    }
    defer { close(descriptor) }
    return try read(descriptor, path)
  }

  /// The text behind an open descriptor; `path` is for the words of a failure.
  package static func read(_ descriptor: CInt, _ path: String) throws(Failure) -> String {
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
      if count == 0 { break }
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw Failure(code: "file", "\(path) is not a text file in UTF-8: repair it, or check the path")
    }
    return text
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
