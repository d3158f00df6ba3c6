/// One direction of a host's way to the network.
struct AccessLink {
  /// What happens to one copy of a datagram.
  struct Transit {
    var delay: Duration
    var isCorrupted: Bool

    static let direct = Transit(delay: .zero, isCorrupted: false)
  }

  var conditions: NetworkConditions
  private var isInBurst = false

  init(_ conditions: NetworkConditions) { self.conditions = conditions }

  /// The copies of the next datagram that come through: usually one.
  mutating func carry(using random: inout SeededRandom) -> [Transit] {
    if let bursts = conditions.bursts {
      isInBurst = random.chance(isInBurst ? 1 - bursts.end : bursts.begin)
      if isInBurst, random.chance(bursts.loss) { return [] }
    }
    if random.chance(conditions.loss) { return [] }
    let copies = random.chance(conditions.duplication) ? 2 : 1
    return (0..<copies).map { _ in
      Transit(
        delay: conditions.delay + random.duration(below: conditions.jitter),
        isCorrupted: random.chance(conditions.corruption))
    }
  }
}
