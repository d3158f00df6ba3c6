/// A player made of rules: what it does follows from what its seat sees, and from chances that are handed in.
public enum Bot {
  /// What a bot orders at the view's tick; mostly nothing, since it thinks only now and then.
  /// - Parameters:
  ///   - level: how well it plays.
  ///   - view: what its seat sees: no more than a person would.
  ///   - generator: one of its own, so that no bot's chances depend on another's.
  public static func orders(
    _ level: BotLevel, _ view: View, using generator: inout some RandomNumberGenerator
  ) -> [Order] {
    guard case .playing = view.phase, view.yourSeat?.isOut == false, thinks(level, at: view.tick) else { return [] }
    switch level {
    case .weak: return weakOrders(view, &generator)
    case .medium: return mediumOrders(view, &generator)
    case .strong:
      var thoughts = Thoughts(view)
      return thoughts.orders(using: &generator)
    }
  }

  /// Whether a bot may order something at this tick: no view need be made for it at another.
  public static func thinks(_ level: BotLevel, at tick: Int) -> Bool { tick.isMultiple(of: level.pause) }

  /// Half of a garrison to one of the planets nearby, as it comes.
  private static func weakOrders(_ view: View, _ generator: inout some RandomNumberGenerator) -> [Order] {
    let sources = view.yourPlanets.filter { (view.ships(of: $0) ?? 0) >= 12 }
    guard let source = sources.randomElement(using: &generator) else { return [] }
    let others = view.planets.filter { $0.owner != view.you }
      .sorted {
        ($0.place.squaredDistance(to: source.place), $0.id) < ($1.place.squaredDistance(to: source.place), $1.id)
      }
    guard let target = others.prefix(4).randomElement(using: &generator) else { return [] }
    return [Order(from: [source.id], to: target.id, share: .half)]
  }

  /// The one conquest that a single planet can make and that is worth most for what it costs.
  private static func mediumOrders(_ view: View, _ generator: inout some RandomNumberGenerator) -> [Order] {
    var best: (worth: Double, order: Order)?
    for source in view.yourPlanets {
      let ships = view.ships(of: source) ?? 0
      for target in view.planets where target.owner != view.you {
        let travel = view.rules.travel(from: source.place, to: target.place)
        let underWay = view.fleets.filter { $0.to == target.id && $0.owner == view.you }.reduce(0) { $0 + $1.ships }
        let needed = view.guess(target, at: view.tick + travel) + 2 - underWay
        guard underWay == 0 || needed > 0 else { continue }
        guard let share = [Share.quarter, .half, .most].first(where: { $0.of(ships) >= needed }) else { continue }
        let worth =
          Double(target.size) / Double(max(1, needed) + travel / 8) * Double.random(in: 0.8...1.2, using: &generator)
        if worth > best?.worth ?? 0 { best = (worth, Order(from: [source.id], to: target.id, share: share)) }
      }
    }
    return best.map { [$0.order] } ?? []
  }
}

extension BotLevel {
  /// Ticks between two thoughts.
  var pause: Int {
    switch self {
    case .weak: 60
    case .medium: 40
    case .strong: 12
    }
  }
}

extension View {
  /// How many ships a planet has at a later tick, as well as can be told from here: what was never seen is guessed by
  /// its size, what was seen long ago has grown since.
  func guess(_ planet: Planet, at later: Int) -> Int {
    guard let stock = planet.stock else { return 5 + 4 * planet.size }
    guard planet.owner != nil else { return stock / Rules.partsOfShip }
    return rules.stock(stock, size: planet.size, after: later - max(0, planet.asOf)) / Rules.partsOfShip
  }
}
