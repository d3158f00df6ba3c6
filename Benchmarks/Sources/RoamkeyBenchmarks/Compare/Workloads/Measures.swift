/// What a process has measured, by name; a line of text between processes.
struct Measures: Sendable, Equatable {
  private(set) var values: [String: Double] = [:]

  init(_ values: [String: Double] = [:]) { self.values = values }

  /// - Throws: what the process says instead.
  init(line: String) throws(BenchmarkFailure) {
    for word in line.split(separator: " ") {
      let parts = word.split(separator: "=", maxSplits: 1)
      guard parts.count == 2, let value = Double(parts[1]) else { throw BenchmarkFailure(line) }
      values[String(parts[0])] = value
    }
  }

  subscript(name: String) -> Double? {
    get { values[name] }
    set { values[name] = newValue }
  }

  /// With the counts of another process added to it.
  /// - Parameter names: of what is counted; all else is told of this process alone.
  func adding(_ other: Measures, of names: [String]) -> Measures {
    var sum = self
    for name in names {
      guard let value = other[name] else { continue }
      sum[name] = (sum[name] ?? 0) + value
    }
    return sum
  }

  var line: String { values.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ") }
}
