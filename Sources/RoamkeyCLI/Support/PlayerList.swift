internal import Roamkey
internal import RoamkeyTerminal

/// A file of player ids, one a line; `#` begins a comment.
enum PlayerList {
  /// - Throws: with the number of the line that is no player id; nothing of the file counts then, since half a list is
  ///   worse than none.
  static func load(_ path: String) throws(Failure) -> Set<PlayerID> {
    guard let text = try TextFile.read(path) else {
      throw Failure(code: "file", "there is no file \(path): check the path, or make it, with one player id a line")
    }
    return try parse(text, path: path)
  }

  static func parse(_ text: String, path: String) throws(Failure) -> Set<PlayerID> {
    var players: Set<PlayerID> = []
    for line in TextFile.lines(text) {
      do throws(PlayerIDError) {
        players.insert(try PlayerID(line.words.joined(separator: " ")))
      } catch {
        throw Failure(code: "playerList", "line \(line.number) of \(path): \(error.description)")
      }
    }
    return players
  }
}
