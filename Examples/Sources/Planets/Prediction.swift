/// Orders that were given and that the host has not confirmed: a screen shows them at once.
///
///     let number = try prediction.give(order, on: view)   // and send both to the host
///     prediction.take(newest)                             // whenever a view has come
///     draw(prediction.applied(to: newest))
public struct Prediction: Hashable, Sendable {
  public struct Pending: Hashable, Sendable {
    public var number: Int
    public var order: Order
    /// The tick that the player saw when it was given.
    public var tick: Int
  }

  /// Orders that no view has confirmed yet, the oldest first.
  public private(set) var pending: [Pending] = []
  private var lastNumber = 0

  public init() {}

  /// Notes an order.
  /// - Parameter view: what the host has told last, without what is predicted.
  /// - Returns: the order's number: 1, 2, 3 and so on.
  /// - Throws: why it would do nothing.
  public mutating func give(_ order: Order, on view: View) throws(OrderError) -> Int {
    _ = try applied(to: view).preview(order)
    lastNumber += 1
    pending.append(Pending(number: lastNumber, order: order, tick: view.tick))
    return lastNumber
  }

  /// Forgets what a view already has, or the host has refused.
  public mutating func take(_ view: View) { pending.removeAll { $0.number <= view.handledOrder } }

  /// Forgets all that is pending: another match. Numbers go on.
  public mutating func forget() { pending = [] }

  /// A view as it will be once the host has these orders: their fleets have left, with negative ids.
  public func applied(to view: View) -> View {
    guard !pending.isEmpty else { return view }
    var result = view
    for entry in pending where entry.number > view.handledOrder {
      guard let preview = try? result.preview(entry.order) else { continue }
      for var fleet in preview.fleets {
        let planet = result.planets[fleet.from]
        let grown = result.rules.stock(
          planet.stock ?? 0, size: planet.size, after: max(0, result.tick) - max(0, planet.asOf))
        result.planets[fleet.from].stock = grown - fleet.ships * Rules.partsOfShip
        result.planets[fleet.from].asOf = result.tick
        // It leaves when the player said so: the screen has shown it since.
        let late = max(0, fleet.departure - entry.tick)
        fleet.departure -= late
        fleet.arrival -= late
        fleet.id = (result.fleets.first.map { min($0.id, 0) } ?? 0) - 1
        result.fleets.insert(fleet, at: 0)
      }
    }
    return result
  }
}
