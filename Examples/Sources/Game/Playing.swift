import Dots
import Roamkey

/// The player's loop: keys in, a frame, a picture out.
func play(_ client: Client, for limit: Duration?) async throws {
  let terminal = Terminal()
  defer { terminal.restore() }
  var seat = Seat()
  let start = SuspendingClock.now
  try await everyFrame {
    for key in terminal.keys() {
      switch key {
      case "w": seat.move = .up
      case "s": seat.move = .down
      case "a": seat.move = .left
      case "d": seat.move = .right
      case " ": seat.move = .stay
      case "q", "\u{3}": return false  // or Ctrl-C
      default: break
      }
    }
    seat.tick(client)
    terminal.show(picture(of: seat, at: client.serverName))
    let isOver = limit.map { SuspendingClock.now - start > $0 } ?? false
    return seat.end == nil && !isOver
  }
  terminal.restore()
  await client.close()
  print("\(seat.dot?.coins ?? 0) coins in \(seat.worlds) pictures\(seat.end.map { "; the end: \($0)" } ?? "")")
}

private func picture(of seat: Seat, at place: String) -> String {
  let world = seat.world
  var rows = [[Character]](repeating: Array(repeating: "·", count: World.width), count: World.height)
  // What a server says is looked at before it is used.
  func put(_ character: Character, at place: Place) {
    guard rows.indices.contains(place.y), rows[place.y].indices.contains(place.x) else { return }
    rows[place.y][place.x] = character
  }
  for coin in world.coins { put("$", at: coin) }
  for dot in world.dots { put(shown(dot.name).first ?? "?", at: dot.place) }
  if let dot = seat.dot { put("@", at: dot.place) }
  let scores = world.dots.sorted { $0.coins > $1.coins }.prefix(5).map { "\(shown($0.name)) \($0.coins)" }
  return rows.map { String($0) }.joined(separator: "\n") + "\n"
    + (seat.isOffline ? "looking for \(place) ..." : scores.joined(separator: "   "))
}

/// A name from a server may be anything, orders to a terminal included.
private func shown(_ name: String) -> String { String(Message(name).shownText.prefix(16)) }
