extension Game {
  /// Fleets arrive: they join their own, or fight.
  ///
  /// All that arrive at a planet in one tick are one fight, so that no seat comes first: those of an owner count
  /// together with what it has there, the largest wins, and loses as many as the second had. Of two that are equal
  /// nobody is left, and the planet remains with its owner.
  /// - Returns: whether any has.
  mutating func land() -> Bool {
    guard fleets.contains(where: { $0.arrival <= tick }) else { return false }
    var arrived: [Int: [View.Fleet]] = [:]
    for fleet in fleets where fleet.arrival <= tick { arrived[fleet.to, default: []].append(fleet) }
    fleets.removeAll { $0.arrival <= tick }
    for planet in arrived.keys.sorted() { fight(at: planet, arrived[planet] ?? []) }
    return true
  }

  private mutating func fight(at place: Int, _ arrived: [View.Fleet]) {
    let owner = planets[place].owner
    // Whole ships fight. What was still being built is nobody's any more, unless the planet stays with its owner.
    let (defence, unfinished) = stock(of: place).quotientAndRemainder(dividingBy: Rules.partsOfShip)
    var forces = Array(repeating: 0, count: seatCount)
    for fleet in arrived { forces[fleet.owner] += fleet.ships }
    if let owner { forces[owner] += defence }
    var strongest: (seat: Int?, ships: Int) = (nil, owner == nil ? defence : 0)
    var second = 0
    for (seat, ships) in forces.enumerated() {
      if ships > strongest.ships {
        second = strongest.ships
        strongest = (seat, ships)
      } else {
        second = max(second, ships)
      }
    }
    let left = strongest.ships - second
    planets[place].asOf = tick
    if strongest.seat == owner || left == 0 {
      planets[place].stock = left * Rules.partsOfShip + unfinished
    } else {
      planets[place].owner = strongest.seat
      planets[place].stock = left * Rules.partsOfShip
    }
  }
}
