internal import Roamkey

/// Statistics for programs and for people.
enum StatisticsText {
  static func fields(_ statistics: Statistics) -> [(String, JSONLine.Value)] {
    let numbers: [(String, UInt64)] = [
      ("players", UInt64(statistics.players)), ("sessions", statistics.sessions), ("moves", statistics.moves),
      ("messagesReceived", statistics.messagesReceived), ("messagesSent", statistics.messagesSent),
      ("datagramsReceived", statistics.datagramsReceived), ("datagramsSent", statistics.datagramsSent),
      ("bytesReceived", statistics.bytesReceived), ("bytesSent", statistics.bytesSent),
      ("packetsLost", statistics.packetsLost), ("refusals", statistics.refusals),
      ("sendErrors", statistics.sendErrors), ("dropped", statistics.dropped),
    ]
    let drops = statistics.drops.sorted { $0.key < $1.key }.map { ($0.key, JSONLine.Value.number($0.value)) }
    return numbers.map { ($0.0, .number($0.1)) } + [("drops", .object(drops))]
  }

  static func line(_ statistics: Statistics) -> String {
    var text =
      "players \(statistics.players), sessions \(statistics.sessions), moves \(statistics.moves); "
      + "messages in \(statistics.messagesReceived), out \(statistics.messagesSent); "
      + "datagrams in \(statistics.datagramsReceived), out \(statistics.datagramsSent), "
      + "lost \(statistics.packetsLost), dropped \(statistics.dropped)"
    let drops = statistics.drops.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
    if !drops.isEmpty { text += " (\(drops.joined(separator: ", ")))" }
    return text
  }
}
