import MeasurementBudgets

/// Something small that is timed, beside something that everybody would have to do for it.
struct Timing {
  let name: String
  /// What one figure is for, such as `packet`.
  let unit: String
  /// What it is held against.
  let reference: String
  /// Nanoseconds that so many calls take.
  let time: (_ calls: Int) -> Double
  let timeBare: (_ calls: Int) -> Double
  /// How many units one call does, and one of the reference.
  let unitsInCall: Int
  let unitsInBareCall: Int

  init(
    _ name: String, unit: String = "call", against reference: String, unitsInCall: Int = 1, unitsInBareCall: Int = 1,
    work: @escaping () -> Void, bare: @escaping () -> Void
  ) {
    self.init(
      name, unit: unit, against: reference, unitsInCall: unitsInCall, unitsInBareCall: unitsInBareCall,
      time: { Self.nanoseconds($0, work) }, bare: bare)
  }

  /// - Parameter time: for what does not take all of the time of a call.
  init(
    _ name: String, unit: String, against reference: String, unitsInCall: Int = 1, unitsInBareCall: Int = 1,
    time: @escaping (_ calls: Int) -> Double, bare: @escaping () -> Void
  ) {
    self.name = name
    self.unit = unit
    self.reference = reference
    self.unitsInCall = unitsInCall
    self.unitsInBareCall = unitsInBareCall
    self.time = time
    timeBare = { Self.nanoseconds($0, bare) }
  }

  static let clock = ContinuousClock()

  private static func nanoseconds(_ calls: Int, _ body: () -> Void) -> Double {
    let start = clock.now
    for _ in 0..<calls { body() }
    return (clock.now - start) / .nanoseconds(1)
  }
}

extension Timing {
  /// Times it and its reference in turn, so that what disturbs the machine disturbs both.
  func summary(runs: Int) -> TimingSummary {
    let (calls, bareCalls) = (Self.callsInRun(time), Self.callsInRun(timeBare))
    return TimingSummary(
      (0..<max(1, runs)).map { _ in
        let ours = time(calls) / Double(calls * unitsInCall)
        return (ours, timeBare(bareCalls) / Double(bareCalls * unitsInBareCall))
      })
  }

  /// Long enough that reading the clock does not matter, and short enough that most runs are not interrupted.
  private static let runLength = Duration.milliseconds(2)

  /// How many calls a run has; calling so often warms up what is timed.
  private static func callsInRun(_ time: (Int) -> Double) -> Int {
    var calls = 1
    while calls < 1 << 24, time(calls) < runLength / .nanoseconds(1) { calls *= 2 }
    return calls
  }
}
