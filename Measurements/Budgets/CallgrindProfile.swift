/// What callgrind has written down of one stretch of a program: instructions by the file in which they stand.
///
/// The format is that of the Callgrind Format Specification, written without compression of names and positions. Only
/// the instructions of functions themselves are read: what they call has lines of its own.
package struct CallgrindProfile: Sendable, Equatable {
  package enum Failure: Error, Equatable {
    /// It was not written by callgrind, or not to the end.
    case malformed
  }

  /// By path of the executable or library.
  package private(set) var instructions: [String: Int] = [:]

  package init(_ text: String) throws(Failure) {
    var object: String?
    var isCall = false
    var total: Int?
    for line in text.split(separator: "\n") {
      if let path = Self.rest(of: line, after: "ob=") {
        object = String(path)
      } else if let value = Self.rest(of: line, after: "totals: ") {
        total = Int(value)
      } else if line.hasPrefix("calls=") {
        // The line that follows says what the call cost in all.
        isCall = true
      } else if let first = line.utf8.first, Self.beginsPosition(first) {
        if !isCall { try add(line, to: object) }
        isCall = false
      }
    }
    guard let total, total == instructions.values.reduce(0, +) else { throw .malformed }
  }

  /// `position cost`, with one position and one cost. Lines of functions that cost nothing have no cost.
  private mutating func add(_ line: Substring, to object: String?) throws(Failure) {
    let fields = line.split(separator: " ")
    guard fields.count > 1 else { return }
    guard let object, let cost = Int(fields[1]) else { throw .malformed }
    instructions[object, default: 0] += cost
  }

  /// A line's number, or how far it is from the last one.
  private static func beginsPosition(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-")
      || byte == UInt8(ascii: "*")
  }

  private static func rest(of line: Substring, after prefix: String) -> Substring? {
    line.hasPrefix(prefix) ? line.dropFirst(prefix.count) : nil
  }
}
