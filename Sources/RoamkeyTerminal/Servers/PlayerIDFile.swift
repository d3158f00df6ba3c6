internal import Glibc
package import Roamkey

/// A text file in which one player id takes the place of another: known servers, players who may or may not join.
///
/// It is changed where it is, under a lock, so that its owner, its rights, links to it and its comments stay: a player
/// id has 61 characters always. Whoever reads it at the same moment sees the old id or the new one, or a typo.
package struct PlayerIDFile {
  /// Which word of a line is the id.
  package enum Form {
    /// `PlayerID`
    case list
    /// `host:port PlayerID`
    case knownServers

    fileprivate var column: Int { self == .list ? 0 : 1 }
  }

  let path: String
  let form: Form

  /// The file at `path`, which need not be there.
  package init(_ path: String, _ form: Form) { (self.path, self.form) = (path, form) }

  /// The first words of the lines of `player`: its names, among the known servers.
  package func lines(of player: PlayerID) throws(Failure) -> [String] {
    guard let text = try TextFile.read(path) else { return [] }
    return places(of: player, in: text).map(\.first)
  }

  /// Puts `new` where `old` stands.
  /// - Returns: the first words of those lines as they were.
  @discardableResult
  package func replace(_ old: PlayerID, by new: PlayerID) throws(Failure) -> [String] {
    let descriptor = open(path, O_RDWR | O_CLOEXEC)
    if descriptor < 0 && errno == ENOENT { return [] }
    guard descriptor >= 0 else { throw cannotWrite() }
    defer { close(descriptor) }
    guard flock(descriptor, LOCK_EX) == 0 else { throw cannotWrite() }
    let places = places(of: old, in: try TextFile.read(descriptor, path))
    let bytes = Array(new.description.utf8)
    for place in places {
      guard place.size == bytes.count, pwrite(descriptor, bytes, bytes.count, off_t(place.offset)) == bytes.count else {
        throw cannotWrite()
      }
    }
    guard places.isEmpty || fsync(descriptor) == 0 else { throw cannotWrite() }
    return places.map(\.first)
  }

  /// Adds a line for `player`, unless there is one; makes the file where there is none.
  /// - Parameter comment: stands behind it.
  /// - Returns: whether a line was added.
  @discardableResult
  package func append(_ player: PlayerID, comment: String) throws(Failure) -> Bool {
    let descriptor = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw cannotWrite() }
    defer { close(descriptor) }
    guard flock(descriptor, LOCK_EX) == 0 else { throw cannotWrite() }
    let text = try TextFile.read(descriptor, path)
    guard places(of: player, in: text).isEmpty else { return false }
    let newline = UInt8(ascii: "\n")
    let line = (text.utf8.last ?? newline == newline ? "" : "\n") + "\(player)  # \(comment)\n"
    // One call, so that the line is there as a whole or not at all.
    guard write(descriptor, line, line.utf8.count) == line.utf8.count, fsync(descriptor) == 0 else {
      throw cannotWrite()
    }
    return true
  }

  private func places(of player: PlayerID, in text: String) -> [(first: String, offset: Int, size: Int)] {
    TextFile.places(text).compactMap { _, words in
      guard words.count == form.column + 1, let word = words.last, let id = try? PlayerID(String(word)), id == player
      else { return nil }
      let offset = text.utf8.distance(from: text.startIndex, to: word.startIndex)
      return (String(words[0]), offset, String(word).utf8.count)
    }
  }

  private func cannotWrite() -> Failure {
    Failure(
      code: "file",
      "\(Console.plain(path)) cannot be written (\(TextFile.systemWords())): check the file and its permissions")
  }
}
