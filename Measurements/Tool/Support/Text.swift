import Glibc

/// Text in columns, for people.
enum Text {
  /// At the left of a column.
  static func left(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  /// At the right of a column, with a space in front.
  static func right(_ text: String, _ width: Int) -> String {
    " " + String(repeating: " ", count: max(0, width - 1 - text.count)) + text
  }

  /// With so many digits behind the point.
  static func number(_ value: Double, digits: Int) -> String {
    var scale = 1
    for _ in 0..<digits { scale *= 10 }
    let scaled = Int((value * Double(scale)).rounded())
    guard digits > 0 else { return String(scaled) }
    let fraction = String(scaled.magnitude % scale.magnitude)
    return (scaled < 0 ? "-" : "") + "\(scaled.magnitude / scale.magnitude)."
      + String(repeating: "0", count: digits - fraction.count) + fraction
  }

  /// A file's text; nil where there is none.
  static func contents(of path: String) -> String? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let count = read(file, &buffer, buffer.count)
      guard count >= 0 else { return nil }
      guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
      bytes += buffer[..<count]
    }
  }

  /// Writes a file anew.
  /// - Returns: whether that succeeded.
  static func write(_ text: String, to path: String) -> Bool {
    let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard file >= 0 else { return false }
    let bytes = Array(text.utf8)
    let count = Glibc.write(file, bytes, bytes.count)
    return close(file) == 0 && count == bytes.count
  }

  static func complain(_ text: String) {
    let bytes = Array("roamkey-measure: \(text)\n".utf8)
    _ = Glibc.write(STDERR_FILENO, bytes, bytes.count)
  }
}
