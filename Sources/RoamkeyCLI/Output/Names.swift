internal import Roamkey
internal import RoamkeyTerminal

extension PlayerID {
  /// The beginning and end of the id, for lines that people read.
  var short: String {
    let text = description
    return "\(text.prefix(9))…\(text.suffix(4))"
  }
}

extension EndReason {
  /// Why somebody's session ended, for people: what follows `left: `.
  var words: String {
    switch self {
    case .closed: "left"
    case .kicked(let words): words.isEmpty ? "put out" : "put out: \(Console.plain(words))"
    case .replaced: "replaced by a newer session of the same player"
    case .shutdown: "the server stopped"
    case .tooSlow: "did not keep up"
    case .timedOut: "was not heard any more"
    case .violation(let code): "the protocol was broken (code \(code))"
    case .notReadmitted: "not let in again"
    }
  }
}
