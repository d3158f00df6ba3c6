internal import Glibc

/// A logarithmic axis.
struct Axis: Sendable {
  /// Powers of ten, or parts of them.
  let low: Double
  let high: Double

  /// Around `values`, from one power of ten to another; nil without any above zero.
  init?(_ values: [Double]) {
    let positive = values.filter { $0 > 0 && $0.isFinite }
    guard let least = positive.min(), let most = positive.max() else { return nil }
    low = pow(10, floor(log10(least) + 1e-9))
    high = max(low * 10, pow(10, ceil(log10(most) - 1e-9)))
  }

  /// Where a value stands, from 0 to 1.
  func place(_ value: Double) -> Double { (log10(value) - log10(low)) / (log10(high) - log10(low)) }

  /// The powers of ten.
  var ticks: [Double] {
    var ticks: [Double] = []
    var tick = low
    while tick <= high * 1.000001 {
      ticks.append(tick)
      tick *= 10
    }
    return ticks
  }

  /// A power of ten as people write it: 0.1, 10, 1k.
  static func label(_ tick: Double) -> String {
    tick >= 999 ? "\(Text.setting(tick / 1000))k" : Text.setting(tick)
  }
}
