internal import Roamkey

/// Statistics for programs and for people.
enum StatisticsText {
  /// The totals of a server or client.
  static func fields(_ statistics: Statistics) -> [(String, JSONLine.Value)] {
    let numbers: [(String, UInt64)] = [
      ("players", UInt64(statistics.players)), ("sessions", statistics.sessions), ("moves", statistics.moves),
      ("messagesReceived", statistics.messagesReceived), ("messagesSent", statistics.messagesSent),
      ("datagramsReceived", statistics.datagramsReceived), ("datagramsSent", statistics.datagramsSent),
      ("bytesReceived", statistics.bytesReceived), ("bytesSent", statistics.bytesSent),
      ("packetsLost", statistics.packetsLost), ("refusals", statistics.refusals),
      ("signaturesVerifiedElsewhere", statistics.signaturesVerifiedElsewhere),
      ("resetsSent", statistics.resetsSent), ("resetsReceived", statistics.resetsReceived),
      ("sendErrors", statistics.sendErrors), ("dropped", statistics.dropped),
      ("unreadDropped", statistics.unreadDropped), ("receiptsDropped", statistics.receiptsDropped),
      ("packetsRecorded", statistics.packetsRecorded), ("packetsNotRecorded", statistics.packetsNotRecorded),
      ("recordedFilesRemoved", statistics.recordedFilesRemoved),
    ]
    return numbers.map { ($0.0, .number($0.1)) } + [
      ("drops", object(statistics.drops)), ("sendErrorsByKind", object(statistics.sendErrorsByKind)),
    ]
  }

  /// How one session is doing. Times are seconds; what was not measured yet is left out.
  static func fields(_ session: SessionStatistics) -> [(String, JSONLine.Value)] {
    let times: [(String, Duration?)] = [
      ("roundTrip", session.roundTrip), ("minimumRoundTrip", session.minimumRoundTrip), ("jitter", session.jitter),
      ("clockError", session.clockError),
    ]
    let numbers: [(String, UInt64)] = [
      ("congestionWindow", UInt64(session.congestionWindow)), ("bytesInFlight", UInt64(session.bytesInFlight)),
      ("packetSize", UInt64(session.packetSize)), ("queuedBytes", UInt64(session.queuedBytes)),
      ("queuedMessages", UInt64(session.queuedMessages)), ("moves", session.moves),
      ("packetsSent", session.packetsSent), ("packetsReceived", session.packetsReceived),
      ("packetsLost", session.packetsLost), ("spuriousLosses", session.spuriousLosses),
      ("bytesSent", session.bytesSent), ("bytesReceived", session.bytesReceived),
      ("bytesRetransmitted", session.bytesRetransmitted), ("messagesSent", session.messagesSent),
      ("messagesReceived", session.messagesReceived), ("messagesExpired", session.messagesExpired),
      ("messagesSuperseded", session.messagesSuperseded), ("messagesLate", session.messagesLate),
      ("eagerCopies", session.eagerCopies), ("eagerCopiesNeeded", session.eagerCopiesNeeded),
    ]
    return [
      ("presence", .text("\(session.presence)")), ("offline", .literal("\(session.isOffline)")),
      ("loss", .decimal(session.loss)), ("clockDrift", .decimal(session.clockDrift)),
    ] + times.compactMap { name, time in time.map { (name, .seconds($0)) } } + numbers.map { ($0.0, .number($0.1)) }
  }

  static func line(_ statistics: Statistics) -> String {
    var text =
      "players \(statistics.players), sessions \(statistics.sessions), moves \(statistics.moves); "
      + "messages in \(statistics.messagesReceived), out \(statistics.messagesSent); "
      + "datagrams in \(statistics.datagramsReceived), out \(statistics.datagramsSent), "
      + "lost \(statistics.packetsLost), dropped \(statistics.dropped)" + inBrackets(statistics.drops)
    if statistics.signaturesVerifiedElsewhere > 0 {
      text += "; signatures verified elsewhere \(statistics.signaturesVerifiedElsewhere)"
    }
    if statistics.resetsSent > 0 { text += "; resets sent \(statistics.resetsSent)" }
    if statistics.resetsReceived > 0 { text += "; resets received \(statistics.resetsReceived)" }
    if statistics.sendErrors > 0 {
      text += "; send errors \(statistics.sendErrors)" + inBrackets(statistics.sendErrorsByKind)
    }
    if statistics.packetsRecorded > 0 { text += "; recorded \(statistics.packetsRecorded)" }
    if statistics.packetsNotRecorded > 0 { text += "; not recorded \(statistics.packetsNotRecorded)" }
    if statistics.recordedFilesRemoved > 0 { text += "; recorded files removed \(statistics.recordedFilesRemoved)" }
    if statistics.unreadDropped > 0 { text += "; dropped unread \(statistics.unreadDropped)" }
    return text
  }

  static func line(_ session: SessionStatistics) -> String {
    let trip = session.roundTrip.map { "\(tenths($0 / .milliseconds(1))) ms" } ?? "not measured yet"
    return "round trip \(trip), loss \(tenths(session.loss * 100)) %, queued \(session.queuedBytes) bytes"
  }

  /// One place after the point, which is enough for people.
  private static func tenths(_ value: Double) -> String { "\((value * 10).rounded() / 10)" }

  private static func object(_ counts: [String: UInt64]) -> JSONLine.Value {
    .object(counts.sorted { $0.key < $1.key }.map { ($0.key, .number($0.value)) })
  }

  private static func inBrackets(_ counts: [String: UInt64]) -> String {
    guard !counts.isEmpty else { return "" }
    return " (\(counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")))"
  }
}
