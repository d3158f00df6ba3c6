internal import Glibc
package import Roamkey

/// The servers that were met before and the keys they had, one a line: `host:port PlayerID`, or `@name PlayerID`.
///
/// As with SSH the first meeting is taken on trust, and from then on another key at that address is refused. The file
/// stands beside the key file; people may edit it, `#` begins a comment.
public struct KnownServers: Sendable {
  /// What a line says.
  package struct Entry: Equatable {
    package var server: PlayerID
    package var line: Int

    package init(server: PlayerID, line: Int) { (self.server, self.line) = (server, line) }
  }

  /// The file.
  public let path: String

  /// Beside the key file.
  public init(besideKeyFile keyFile: String) {
    let directory = keyFile.lastIndex(of: "/").map { keyFile[...$0] } ?? ""
    path = directory + "known_servers"
  }

  /// The text that stands for a server in the file: small letters, and always with its port.
  package static func name(of server: String) -> String {
    let name = String(server.lowercased())
    // A server of the local network (`KnownServers+Found.swift`); no host begins so.
    if isName(name) { return name }
    // By bytes, since a bracket and a mark behind it are one `Character`, and would be put into brackets again.
    if name.utf8.first == UInt8(ascii: "[") {
      return name.utf8.last == UInt8(ascii: "]") ? name + ":\(Client.defaultPort)" : name
    }
    switch name.utf8.count(where: { $0 == UInt8(ascii: ":") }) {
    case 0: return name + ":\(Client.defaultPort)"
    case 1: return name
    default: return "[\(name)]:\(Client.defaultPort)"
    }
  }

  /// What is known of `name`; the first line counts.
  package func find(_ name: String) throws(Failure) -> Entry? {
    guard let text = try TextFile.read(path) else { return nil }
    return try find(name, in: text)
  }

  private func find(_ name: String, in text: String) throws(Failure) -> Entry? {
    // As people write it: in capitals, or without the port.
    for line in TextFile.lines(text) where Self.name(of: line.words[0]) == name { return try entry(line) }
    return nil
  }

  /// What the file says of each name: the first line counts.
  package func lines() throws(Failure) -> [String: TextFile.Line] {
    guard let text = try TextFile.read(path) else { return [:] }
    return Dictionary(
      TextFile.lines(text).map { (Self.name(of: $0.words[0]), $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// What a line says.
  package func entry(_ line: TextFile.Line) throws(Failure) -> Entry {
    guard line.words.count == 2 else {
      throw Failure(code: "knownServers", "line \(line.number) of \(path): write it as `host:port PlayerID`")
    }
    do throws(PlayerIDError) {
      return Entry(server: try PlayerID(line.words[1]), line: line.number)
    } catch {
      throw Failure(code: "knownServers", "line \(line.number) of \(path): \(error.description)")
    }
  }

  /// Appends a line, unless somebody else has met the server meanwhile.
  /// - Returns: what stands there now.
  package func remember(_ server: PlayerID, as name: String) throws(Failure) -> Entry {
    let descriptor = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw cannotWrite() }
    defer { close(descriptor) }
    // Two clients that meet a server at the same moment: one of them writes, the other finds it written.
    guard flock(descriptor, LOCK_EX) == 0 else { throw cannotWrite() }
    let text = try TextFile.read(descriptor, path)
    if let entry = try find(name, in: text) { return entry }
    guard TextFile.append("\(name) \(server)\n", behind: text, descriptor) else { throw cannotWrite() }
    let newline = UInt8(ascii: "\n")
    let before = text.utf8.count { $0 == newline } + (text.utf8.last ?? newline == newline ? 0 : 1)
    return Entry(server: server, line: before + 1)
  }

  private func cannotWrite() -> Failure {
    Failure(
      code: "knownServers",
      "\(path) cannot be written (\(TextFile.systemWords())): check the directory, or give --server"
    )
  }

  /// The sentence for a key that has changed.
  package func refusal(_ entry: Entry, found: PlayerID, name: String) -> Failure {
    Failure(
      .refused, code: "wrongServer",
      """
      THE SERVER'S KEY HAS CHANGED. \(name) has the key \(found) now, but had \(entry.server) before. \
      Somebody may stand between you and the server, so the connection was refused. If its owner confirms the new key, \
      remove line \(entry.line) of \(path) and connect again.
      """)
  }
}
