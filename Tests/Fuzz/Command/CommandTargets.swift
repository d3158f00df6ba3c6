package import FuzzTargets
import Roamkey
import RoamkeyTerminal

@testable import RoamkeyCLI

/// Targets of the command. A target of its own, since only tests, and the fuzzer's build, can look into a program.
package enum CommandTargets {
  package static let all: [FuzzTarget] = [lists, labels]

  /// Files that people write: known servers, players.
  static let lists = FuzzTarget(
    "lists", longestInput: 400, milestones: ["players", "badPlayer", "server", "neighbour", "comment"]
  ) { input, reached in
    var text = String(decoding: input.rest(), as: UTF8.self)
    // Ids that are right, which no input finds by itself.
    for (mark, id) in [("$a", Self.id(1)), ("$b", Self.id(2))] { text = replacing(mark, with: id, in: text) }
    let lines = TextFile.lines(text)
    precondition(lines.allSatisfy { !$0.words.isEmpty && !$0.words.contains("") }, "a line of nothing")
    precondition(zip(lines, lines.dropFirst()).allSatisfy { $0.number < $1.number }, "lines are counted backwards")
    if text.contains("#"), !lines.isEmpty { reached.reach(4) }
    do throws(Failure) {
      let players = try PlayerList.parse(text, path: "list")
      if !players.isEmpty { reached.reach(0) }
      let again = players.map(\.description).joined(separator: "\n")
      precondition((try? PlayerList.parse(again, path: "list")) == players, "a list is written as another")
    } catch {
      precondition(!error.sentence.isEmpty, "an error without words")
      reached.reach(1)
    }
    let known = KnownServers(besideKeyFile: "keys/a.pem")
    for line in lines {
      let name = KnownServers.name(of: line.words[0])
      precondition(KnownServers.name(of: name) == name, "the name of \(name) is another")
      guard let entry = try? known.entry(line) else { continue }
      reached.reach(KnownServers.isName(name) ? 3 : 2)
      precondition(entry.line == line.number, "an entry of another line")
    }
  }

  /// What strangers are called, as it is shown and as it is kept; and bytes from a keyboard.
  static let labels = FuzzTarget(
    "labels", longestInput: 160, milestones: ["label", "cut", "kept", "key", "escaped", "destination"]
  ) { input, reached in
    let width = input.number(below: 40)
    let bytes = input.rest()
    let text = String(decoding: bytes, as: UTF8.self)
    let label = Console.label(text)
    if !label.isEmpty { reached.reach(0) }
    precondition(!label.contains(where: \.isNewline), "a label has an end of line in it")
    let cut = DisplayWidth.cut(label, to: width)
    precondition(DisplayWidth.of(cut) <= width, "a cut label is too wide")
    if cut != label { reached.reach(1) }
    if Destination(text) == .name { reached.reach(5) }
    var decoder = KeyDecoder()
    for byte in bytes where decoder.decode(byte) != nil { reached.reach(3) }
    _ = decoder.timeOut()
    guard let name = KnownServers.name(ofNeighbour: text) else { return }
    // It stands in the file as one word, and is found again.
    let lines = TextFile.lines("\(name) \(id(1))\n")
    precondition(lines.count == 1 && lines[0].words.count == 2, "\(name) is not one word")
    precondition(lines[0].words[0].utf8.elementsEqual(name.utf8), "\(name) is read as another word")
    precondition(KnownServers.isName(name) && KnownServers.name(of: name) == name, "\(name) is no name")
    reached.reach(name.contains("%") ? 4 : 2)
  }

  private static func id(_ number: UInt8) -> String { FuzzTargets.playerID(number) }

  private static func replacing(_ mark: String, with text: String, in whole: String) -> String {
    guard whole.contains(mark) else { return whole }
    return whole.split(separator: mark, omittingEmptySubsequences: false).joined(separator: text)
  }
}
