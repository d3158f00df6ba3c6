import Dots
import Roamkey

/// Lets so many play at once, and tells how it ended for how many of them.
func run(_ count: Int, at host: String, for limit: Duration?) async -> [String: Int] {
  await withTaskGroup(of: String.self) { group in
    for number in 1...count { group.addTask { await bot(number, at: host, for: limit) } }
    return await group.reduce(into: [:]) { $0[$1, default: 0] += 1 }
  }
}

/// One player: goes to the coin that is nearest.
private func bot(_ number: Int, at host: String, for limit: Duration?) async -> String {
  do {
    // A key that nobody keeps: tomorrow it is somebody else.
    let client = try await Client(
      key: .generate(), application: Dots.application, server: host, name: "bot \(number)",
      configuration: frameByFrame())
    var seat = Seat()
    let start = SuspendingClock.now
    try await everyFrame {
      seat.tick(client)
      seat.move = step(seat)
      let isOver = limit.map { SuspendingClock.now - start > $0 } ?? false
      return seat.end == nil && !isOver
    }
    let end = await client.close()
    return seat.worlds > 0 ? "\(seat.end ?? end)" : "saw nothing"
  } catch {
    return "\(error)"
  }
}

private func step(_ seat: Seat) -> Move {
  guard let place = seat.dot?.place else { return .stay }
  func distance(_ coin: Place) -> Int { abs(coin.x - place.x) + abs(coin.y - place.y) }
  guard let coin = seat.world.coins.min(by: { distance($0) < distance($1) }) else { return .stay }
  if coin.x != place.x { return coin.x > place.x ? .right : .left }
  return coin.y > place.y ? .down : coin.y < place.y ? .up : .stay
}
