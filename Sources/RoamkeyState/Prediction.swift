/// A player's own doings, shown before the server has confirmed them, and put right when it has.
///
///     var me = Prediction(ship) { ship, input in ship.steer(input) }
///
///     let number = me.predict(input)                  // at once, on the screen
///     try client.send(Steering(number, input), ...)   // the server says with its states how far it has come
///     me.confirm(state.ship, through: state.lastInput)
///     draw(me.state)
///
/// The same function has to do the same on both sides; where it does not, or another player was in the way, the
/// confirmed state wins, and what is not confirmed is done again on it.
public struct Prediction<State, Input> {
  private let step: (inout State, Input) -> Void
  private let limit: Int
  private var inputs: [(number: UInt64, input: Input)] = []
  /// What the server is known to have made of all inputs up to ``confirmedNumber``.
  public private(set) var confirmed: State
  /// The last input that the server has applied; 0 before the first.
  public private(set) var confirmedNumber: UInt64 = 0
  /// The number of the last input; 0 before the first.
  public private(set) var lastNumber: UInt64 = 0
  /// What all inputs make of it: what to show.
  public private(set) var state: State

  /// - Parameters:
  ///   - state: where it begins.
  ///   - limit: inputs that are kept until they are confirmed, at least 1; beyond it the oldest count no more.
  ///   - step: what an input does, as the server does it.
  public init(_ state: State, limit: Int = 128, step: @escaping (inout State, Input) -> Void) {
    self.state = state
    confirmed = state
    self.limit = max(1, limit)
    self.step = step
  }

  /// How many inputs are not confirmed.
  public var pending: Int { inputs.count }

  /// Applies an input at once.
  /// - Returns: its number, one more than that of the last one, to be sent with it.
  public mutating func predict(_ input: Input) -> UInt64 {
    lastNumber += 1
    if inputs.count == limit { inputs.removeFirst() }
    inputs.append((lastNumber, input))
    step(&state, input)
    return lastNumber
  }

  /// Takes what the server says: its state, with all inputs up to a number applied. An older word than the last one is
  /// passed over, and so is one about inputs that there were not.
  public mutating func confirm(_ state: State, through number: UInt64) {
    guard number >= confirmedNumber, number <= lastNumber else { return }
    confirmedNumber = number
    confirmed = state
    inputs.removeAll { $0.number <= number }
    var replayed = state
    for (_, input) in inputs { step(&replayed, input) }
    self.state = replayed
  }
}
