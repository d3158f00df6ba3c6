/// Figures for people: three digits that count, and a unit.
enum BenchText {
  /// 0.21 s, 12.3 ms, 456 us.
  static func time(_ time: Duration) -> String { Self.time(microseconds: time / .microseconds(1)) }

  static func time(microseconds: Double) -> String {
    // By what is printed: 999.7 us are 1.00 ms.
    if microseconds < 999.5 { return "\(digits(microseconds)) us" }
    if microseconds < 999_500 { return "\(digits(microseconds / 1e3)) ms" }
    return "\(digits(microseconds / 1e6)) s"
  }

  /// 12.3 MB/s; a megabyte has 1,000,000 bytes.
  static func byteRate(_ bytesPerSecond: Double) -> String { "\(digits(bytesPerSecond / 1e6)) MB/s" }

  /// 99.8 %; all of it and nothing of it are said only where that is so.
  static func share(_ share: Double) -> String {
    let tenths = (share * 1000).rounded()
    if share < 1, tenths >= 1000 { return "over 99.9 %" }
    if share > 0, tenths < 1 { return "under 0.1 %" }
    return "\(fixed(tenths / 10, places: 1)) %"
  }

  /// Three digits, more where the number is larger: 1.23, 12.3, 123, 12,345.
  static func digits(_ value: Double) -> String {
    switch value {
    case ..<9.995: fixed(value, places: 2)
    case ..<99.95: fixed(value, places: 1)
    default: count(value)
    }
  }

  /// 12,345, rounded.
  static func count(_ value: Double) -> String {
    // Beyond that a server has told nonsense.
    let digits = String(UInt64(min(max(0, value.isNaN ? 0 : value), 1e18).rounded()))
    var text = ""
    for (index, digit) in digits.enumerated() {
      if index > 0 && (digits.count - index).isMultiple(of: 3) { text.append(",") }
      text.append(digit)
    }
    return text
  }

  private static func fixed(_ value: Double, places: Int) -> String {
    let factor = places == 1 ? 10.0 : 100.0
    let whole = UInt64((min(max(0, value.isNaN ? 0 : value), 1e12) * factor).rounded())
    let fraction = String(whole % UInt64(factor))
    return "\(whole / UInt64(factor))." + String(repeating: "0", count: places - fraction.count) + fraction
  }
}
