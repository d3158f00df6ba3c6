internal import Glibc
internal import Roamkey
internal import RoamkeyTerminal

/// Prints the events of `--json`: one object a line, each with `event` and `time`.
struct EventPrinter {
  /// Prints nothing when it is off.
  let isOn: Bool

  func print(_ event: String, _ fields: [(String, JSONLine.Value)]) {
    guard isOn else { return }
    Console.print(JSONLine([("event", .text(event)), ("time", .literal(Self.time()))] + fields).text)
  }

  func listening(_ address: NetworkAddress, server: PlayerID) {
    print("listening", [("address", .text(address.description)), ("server", .text(server.description))])
  }

  /// - Parameter undelivered: where the server was started anew: how many lines are said again.
  func connected(_ server: PlayerID, address: NetworkAddress, undelivered: Int? = nil) {
    print(
      "connected",
      [("server", .text(server.description)), ("address", .text(address.description))]
        + (undelivered.map { [("undelivered", .number(UInt64($0)))] } ?? []))
  }

  func joined(_ player: PlayerID, address: NetworkAddress?) {
    print(
      "joined",
      [("player", .text(player.description)), ("address", .text(address?.description ?? ""))])
  }

  func message(_ message: Message, from: PlayerID) {
    print(
      "message",
      [
        ("from", .text(from.description)), ("id", .number(message.id)), ("action", .text(message.action)),
        ("text", .text(String(decoding: message.body, as: UTF8.self))), ("age", .seconds(message.ageOnArrival)),
      ])
  }

  func roamed(_ player: PlayerID, from: NetworkAddress, to: NetworkAddress) {
    print(
      "roamed",
      [
        ("player", .text(player.description)), ("from", .text(from.description)), ("to", .text(to.description)),
      ])
  }

  func offline(_ player: PlayerID) { print("offline", [("player", .text(player.description))]) }

  func online(_ player: PlayerID) { print("online", [("player", .text(player.description))]) }

  func left(_ player: PlayerID, _ reason: EndReason) {
    print("left", [("player", .text(player.description)), ("reason", .text(reason.description))])
  }

  func error(code: String, _ message: String) {
    print("error", [("code", .text(code)), ("message", .text(message))])
  }

  /// A client's: the totals, and `session` while there is one.
  func stats(_ statistics: Statistics, session: SessionStatistics?) {
    let session = session.map { [("session", JSONLine.Value.object(StatisticsText.fields($0)))] } ?? []
    print("stats", StatisticsText.fields(statistics) + session)
  }

  /// A server's: the totals, and under `sessionOf` each player who is in.
  func stats(_ statistics: Statistics, sessions: [Watch.Session]) {
    let players = sessions.map { ($0.player.description, JSONLine.Value.object(StatisticsText.fields($0.statistics))) }
    print("stats", StatisticsText.fields(statistics) + [("sessionOf", .object(players))])
  }

  /// Seconds since the epoch, to the microsecond.
  private static func time() -> String {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    let micros = String(now.tv_nsec / 1000)
    return "\(now.tv_sec)." + String(repeating: "0", count: 6 - micros.count) + micros
  }
}
