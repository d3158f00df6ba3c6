public import Roamkey

/// Servers of the local network are known by what people call them, since their addresses change: `@ada's%20room`. One
/// that has no name is known by its address, as a host is.
extension KnownServers {
  /// The text that stands for `server` in the file.
  package static func name(of server: FoundServer) -> String {
    name(ofNeighbour: server.name ?? "") ?? name(of: server.address.description)
  }

  /// The same for a name; nil where nothing of it can be seen. What ends a word or begins a comment is written as in a
  /// URL (RFC 3986 §2.1), and so is a mark that would sit on the `@`.
  package static func name(ofNeighbour name: String) -> String? {
    let label = Console.label(name).lowercased().unicodeScalars
    guard !label.isEmpty else { return nil }
    var text = "@"
    for (index, scalar) in label.enumerated() {
      let isMark = index == 0 && (text + String(scalar)).count == 1
      if isMark || scalar.properties.isWhitespace || scalar == "#" || scalar == "%" {
        for byte in String(scalar).utf8 { text += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16) }
      } else {
        text.unicodeScalars.append(scalar)
      }
    }
    return text
  }

  /// Whether a text of the file stands for a name. Of its first byte: a mark and the `@` before it are one `Character`.
  package static func isName(_ text: String) -> Bool { text.utf8.first == UInt8(ascii: "@") }

  /// Who was met before, for a list. A file that cannot be read is complained about when a server is chosen.
  public func acquaintances() -> Acquaintances { Acquaintances(known: self, lines: (try? lines()) ?? [:]) }

  /// What the file said when it was read.
  public struct Acquaintances {
    fileprivate let known: KnownServers
    fileprivate let lines: [String: TextFile.Line]

    /// What is known of each.
    public func of(_ servers: [FoundServer]) -> [PlayerID: Picker.Acquaintance] {
      var result: [PlayerID: Picker.Acquaintance] = [:]
      for server in servers {
        guard let line = lines[KnownServers.name(of: server)], let entry = try? known.entry(line) else { continue }
        result[server.id] = entry.server == server.id ? .known : .changed
      }
      return result
    }
  }
}
