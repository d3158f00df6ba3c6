/// What is to be shown at a moment: between two states.
public struct StateFrame<State> {
  /// The state before that moment.
  public var from: State
  /// The state after that moment; `from` once more where there is none yet.
  public var to: State
  /// How far it is from one to the other, 0 to 1.
  public var fraction: Double

  /// For games that are tested without a publisher.
  public init(from: State, to: State, fraction: Double) {
    self.from = from
    self.to = to
    self.fraction = fraction
  }
}

extension StateFrame: Sendable where State: Sendable {}
extension StateFrame: Equatable where State: Equatable {}

extension StateFrame where State: Interpolatable {
  /// What lies between both states.
  public var blended: State { from.blended(with: to, at: fraction) }
}
