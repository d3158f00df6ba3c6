internal import Roamkey

/// Servers of the local network are known by what people call them, since their addresses change: `@ada's%20room`. One
/// that has no name is known by its address, as a host is.
extension KnownServers {
  /// The text that stands for `server` in the file.
  static func name(of server: FoundServer) -> String {
    name(ofNeighbour: server.name ?? "") ?? name(of: server.address.description)
  }

  /// The same for a name; nil where nothing of it can be seen. What ends a word or begins a comment is written as in a
  /// URL (RFC 3986 §2.1).
  static func name(ofNeighbour name: String) -> String? {
    let label = Console.label(name).lowercased()
    guard !label.isEmpty else { return nil }
    var text = "@"
    for character in label {
      if character.isWhitespace || character == "#" || character == "%" {
        for byte in character.utf8 { text += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16) }
      } else {
        text.append(character)
      }
    }
    return text
  }

  /// What is known of each, for a list. A file that cannot be read is complained about when one is chosen.
  func acquaintances(with servers: [FoundServer]) -> [PlayerID: Picker.Acquaintance] {
    var result: [PlayerID: Picker.Acquaintance] = [:]
    for server in servers {
      guard let entry = try? find(Self.name(of: server)) else { continue }
      result[server.id] = entry.server == server.id ? .known : .changed
    }
    return result
  }
}
