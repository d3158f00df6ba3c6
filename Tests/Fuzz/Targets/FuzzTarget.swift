/// Something that takes bytes from anybody, with what must hold for it.
package struct FuzzTarget: Sendable {
  /// Names it on the command line, and its folders of inputs.
  package let name: String
  /// The longest input that is worth a try, in bytes.
  package let longestInput: Int
  /// Deep places, by name: the inputs that are kept reach each of them, or the target bounces off something.
  package let milestones: [String]
  /// Runs one input. What must not be fails a precondition with a reason.
  /// - Returns: a bit for each milestone that was reached, in order.
  package let run: @Sendable (UnsafeRawBufferPointer) -> UInt64

  /// - Parameter run: takes an input, and notes milestones.
  package init(
    _ name: String, longestInput: Int, milestones: [String],
    run: @escaping @Sendable (inout FuzzInput, inout Milestones) -> Void
  ) {
    self.name = name
    self.longestInput = longestInput
    self.milestones = milestones
    self.run = { bytes in
      var input = FuzzInput(bytes)
      var reached = Milestones(count: milestones.count)
      run(&input, &reached)
      return reached.bits
    }
  }

  /// The milestones of `bits`, by name.
  package func names(of bits: UInt64) -> Set<String> {
    Set(milestones.enumerated().filter { bits >> UInt64($0.offset) & 1 == 1 }.map(\.element))
  }
}

/// Which milestones an input has reached.
package struct Milestones {
  private let count: Int
  private(set) var bits: UInt64 = 0

  init(count: Int) { self.count = count }

  /// Notes the milestone at that place of the target's list.
  package mutating func reach(_ place: Int) {
    precondition(place < count, "the target has no such milestone")
    bits |= 1 << UInt64(place)
  }
}

/// The bytes of one input, taken from the front; where there are no more, zeros.
package struct FuzzInput {
  private let bytes: UnsafeRawBufferPointer
  private var position = 0

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  /// Whether nothing is left.
  package var isEmpty: Bool { position == bytes.count }

  /// One byte.
  package mutating func byte() -> UInt8 {
    guard position < bytes.count else { return 0 }
    defer { position += 1 }
    return bytes[position]
  }

  /// Two bytes, the high one first.
  package mutating func int16() -> Int {
    let high = Int(byte())
    return high << 8 | Int(byte())
  }

  /// A number below `limit`, of one byte.
  package mutating func number(below limit: Int) -> Int { Int(byte()) % limit }

  /// The next bytes, as many as there are up to `count`.
  package mutating func take(_ count: Int) -> [UInt8] {
    let end = min(bytes.count, position + count)
    defer { position = end }
    return Array(bytes[position..<end])
  }

  /// Bytes behind a byte that counts them.
  package mutating func counted() -> [UInt8] { take(Int(byte())) }

  /// All that is left.
  package mutating func rest() -> [UInt8] { take(bytes.count) }
}
