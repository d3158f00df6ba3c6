import Planets

/// A match against bots in this process, without any network: it needs no key and no free port, works where sockets are
/// forbidden, and follows from its seed and the player's orders alone.
public struct LocalTable: Table {
  public private(set) var view = View()
  public var status: String? { nil }
  public var isHost: Bool { true }

  private var setup: MatchSetup
  private var game: Game
  private var generators: [SeededGenerator] = []
  /// Whether a bot plays the player's seat as well.
  private let playsItself: Bool
  /// What the seats are called; those that have no name here are bots by number.
  private let names: [String]
  /// When the countdown began; nil before the first step.
  private var begun: Double?
  private var match = 1

  /// - Parameters:
  ///   - playsItself: whether a bot plays the player's seat as well, for pictures and tests.
  ///   - names: of the seats, likewise.
  public init(_ setup: MatchSetup, playsItself: Bool = false, names: [String] = []) {
    self.names = names.isEmpty ? [setup.name] : names
    self.setup = setup
    self.setup.bots = min(max(1, setup.bots), MatchSetup.mostBots)
    self.playsItself = playsItself
    game = Game(seed: setup.seed, seats: self.setup.bots + 1, rules: setup.rules)
    begin()
  }

  private mutating func begin() {
    game = Game(seed: setup.seed, seats: setup.bots + 1, rules: setup.rules)
    generators = (0..<game.seatCount).map { SeededGenerator(seed: setup.seed &+ 1000 &+ UInt64($0)) }
    begun = nil
    refresh()
  }

  public func tick(at time: Double) -> Double {
    guard let begun else { return Double(game.tick) }
    let exact = (time - begun) * Double(Rules.ticksASecond) - Double(Rules.countdown)
    // Never further than a tick: what comes then is not known.
    return min(max(Double(game.tick), exact), Double(game.tick) + 1)
  }

  public var canPause: Bool { true }

  public mutating func pause(at time: Double) {
    if begun != nil { begun = time - Double(game.tick + Rules.countdown) / Double(Rules.ticksASecond) }
  }

  public mutating func step(at time: Double) -> [TableNews] {
    let start = begun ?? time
    if begun == nil { begun = start }
    let due = Int((time - start) * Double(Rules.ticksASecond)) - Rules.countdown
    // Whoever has suspended the program goes on where it was.
    if due - game.tick > 2 * Rules.ticksASecond {
      pause(at: time)
      return []
    }
    while game.tick < due, !game.isOver { advance() }
    return []
  }

  /// One tick, bots and all.
  public mutating func advance() {
    for seat in 0..<game.seatCount where playsItself || seat != 0 {
      for order in Bot.orders(setup.level, game.view(for: seat), using: &generators[seat]) {
        // A bot's order may come to nothing, as a person's.
        _ = try? game.order(order, by: seat)
      }
    }
    game.advance()
    refresh()
  }

  private mutating func refresh() {
    let frame = view.frame + 1
    view = game.view(for: 0)
    (view.frame, view.match) = (frame, match)
    for seat in view.seats.indices {
      view.seats[seat].name = names.indices.contains(seat) ? names[seat] : "Bot \(seat)"
      view.seats[seat].bot = seat == 0 ? nil : setup.level
      view.seats[seat].isHost = seat == 0
    }
  }

  public mutating func order(_ order: Order) throws(OrderError) {
    try game.order(order, by: 0)
    refresh()
  }

  public mutating func say(_ text: String) {}

  public mutating func ask(_ request: TableRequest) {
    switch request {
    case .again, .start:
      match += 1
      setup.seed &+= 1
      begin()
    case .anotherMap, .bots, .ready: break
    }
  }
}
