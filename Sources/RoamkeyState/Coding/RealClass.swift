/// The coarsest of these grids that a number lies on: games round (STATE §5.5). What lies on none is a Double.
enum RealClass: UInt8 {
  case whole, tenths, hundredths, thousandths, float, double

  private static let decimals: [RealClass] = [.whole, .tenths, .hundredths, .thousandths]
  /// Below it each whole number is a Double.
  static let largest = Int64(1) << 53

  /// Steps of a decimal class in 1; nil for the others.
  var scale: Double? {
    switch self {
    case .whole: 1
    case .tenths: 10
    case .hundredths: 100
    case .thousandths: 1000
    case .float, .double: nil
    }
  }

  /// The class for a number, where `expected` will do if it can.
  init(_ value: Double, expected: RealClass?) {
    if let expected, expected != .double, expected.contains(value) {
      self = expected
    } else if let decimal = Self.decimals.first(where: { $0.contains(value) }) {
      self = decimal
    } else {
      self = Self.float.contains(value) ? .float : .double
    }
  }

  func contains(_ value: Double) -> Bool {
    switch self {
    case .whole, .tenths, .hundredths, .thousandths:
      steps(value).map { number($0).bitPattern == value.bitPattern } ?? false
    // The bits of what is no number may differ between machines once they are converted.
    case .float: !value.isNaN && Double(Float(value)).bitPattern == value.bitPattern
    case .double: true
    }
  }

  /// The nearest number of steps, of a decimal class; nil where that is out of range.
  func steps(_ value: Double) -> Int64? {
    guard let scale else { return nil }
    let steps = (value * scale).rounded()
    guard abs(steps) <= Double(Self.largest) else { return nil }
    return Int64(steps)
  }

  /// So many steps of a decimal class.
  private func number(_ steps: Int64) -> Double { Double(steps) / (scale ?? 1) }

  /// The number on this grid that is nearest to `value`; nil where there is none.
  func rounded(_ value: Double) -> Double? {
    switch self {
    case .whole, .tenths, .hundredths, .thousandths: steps(value).map(number)
    case .float: Double(Float(value))
    case .double: value
    }
  }

  // MARK: Places on the grid

  /// A number as a place on the grid, such that neighbours are neighbours; 0 for what has none.
  func place(_ value: Double) -> Int64 {
    switch self {
    case .whole, .tenths, .hundredths, .thousandths: return steps(value) ?? 0
    case .float:
      guard !value.isNaN else { return 0 }
      let bits = Int32(bitPattern: Float(value).bitPattern)
      return Int64(bits ^ ((bits >> 31) & .max))
    case .double:
      let bits = Int64(bitPattern: value.bitPattern)
      return bits ^ ((bits >> 63) & .max)
    }
  }

  /// The number at a place; nil where there is none.
  func value(at place: Int64) -> Double? {
    switch self {
    case .whole, .tenths, .hundredths, .thousandths:
      return (-Self.largest...Self.largest).contains(place) ? number(place) : nil
    case .float:
      guard let bits = Int32(exactly: place) else { return nil }
      return Double(Float(bitPattern: UInt32(bitPattern: bits ^ ((bits >> 31) & .max))))
    case .double: return Double(bitPattern: UInt64(bitPattern: place ^ ((place >> 63) & .max)))
    }
  }
}
