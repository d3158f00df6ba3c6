internal import Roamkey

/// The table at the end, and the claims that it stands for.
struct DemoSummary {
  struct Impostors: Sendable {
    var playerWasRefused: Bool
    var serverWasRefused: Bool

    var refused: Int { (playerWasRefused ? 1 : 0) + (serverWasRefused ? 1 : 0) }
  }

  let record: DemoRecord
  let impostors: Impostors
  let replay: DemoReplay
  let lostOnTheWay: Int

  /// To the phone, to the train, home, and one port that a router changed.
  private static let plannedMoves = 4

  var claims: [Claim] {
    [
      claim("every message arrived", \.lost, 0),
      claim("none arrived twice", \.doubled, 0),
      claim("all arrived in order", \.outOfOrder, 0),
      Claim(text: "messages flowed all the time", isTrue: record.fromAda.sent > 50 && record.fromBen.sent > 50),
      Claim(text: "the server saw every move", isTrue: record.moves.count == Self.plannedMoves),
      Claim(text: "one session each, from beginning to end", isTrue: record.joins == 2 && record.leaves == 0),
      Claim(text: "both impostors were turned away", isTrue: impostors.refused == 2),
      Claim(
        text: "every replayed packet was dropped, and changed nothing",
        isTrue: replay.sent > 0 && replay.dropped == replay.sent && replay.changedNothing),
    ]
  }

  private func claim(_ text: String, _ count: KeyPath<DemoRecord.Stream, Int>, _ expected: Int) -> Claim {
    Claim(
      text: text, isTrue: record.fromAda[keyPath: count] == expected && record.fromBen[keyPath: count] == expected)
  }

  func print() {
    Console.print("  \("".padded(to: 27))Ada to Ben  Ben to Ada")
    row("messages sent", \.sent)
    row("messages received", \.received)
    row("lost", \.lost)
    row("received twice", \.doubled)
    row("out of order", \.outOfOrder)
    Console.print("")
    row("Ada's moves", "\(record.moves.count)", "one key, one session, no new handshake")
    row("datagrams lost on the way", "\(lostOnTheWay)", "what they carried was sent again")
    row("packets replayed", "\(replay.sent)", "\(replay.dropped) dropped")
    row("impostors", "2", "\(impostors.refused) turned away")
    Console.print("")
    for claim in claims { Console.print("  \(claim)") }
  }

  private func row(_ name: String, _ count: KeyPath<DemoRecord.Stream, Int>) {
    let (ada, ben) = ("\(record.fromAda[keyPath: count])", "\(record.fromBen[keyPath: count])")
    Console.print("  \(name.padded(to: 27))\(ada.rightAligned(to: 10))\(ben.rightAligned(to: 12))")
  }

  private func row(_ name: String, _ count: String, _ remark: String) {
    Console.print("  \(name.padded(to: 27))\(count.rightAligned(to: 10))  \(remark)")
  }
}
