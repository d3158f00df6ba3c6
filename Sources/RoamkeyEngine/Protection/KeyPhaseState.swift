/// Where one direction stands in its sequence of keys, as its receiver sees it (PROTOCOL §2).
package struct KeyPhaseState: Sendable {
  /// Its lowest bit is the phase bit of the header.
  package private(set) var number: UInt64 = 0
  /// The lowest and highest packet numbers opened with the current key.
  private var lowest: UInt64?
  private var highest: UInt64?
  /// The highest opened with any key before the current one.
  private var highestBefore: UInt64?
  package private(set) var hasPrevious = false

  package init() {}

  /// Which key a packet wants; nil where that key is gone.
  ///
  /// When the bit differs, a number below the lowest of the current phase means the previous key, else the next.
  package func phase(bit: Bool, number packetNumber: UInt64) -> SessionKeys.Phase? {
    if bit == (number & 1 == 1) { return .current }
    if let lowest, packetNumber < lowest { return hasPrevious ? .previous : nil }
    return .next
  }

  /// What an authenticated packet did.
  package enum Change: Sendable {
    case none
    /// The peer moved on: renew the keys, and forget the previous ones 3 PTO later.
    case advanced
    /// A newer key at a lower number than an older one: only a peer that misuses its keys does that.
    case ranBackwards
  }

  /// Takes note of a packet that was authenticated, seal and signature.
  package mutating func commit(_ phase: SessionKeys.Phase, number packetNumber: UInt64) -> Change {
    switch phase {
    case .previous:
      highestBefore = max(highestBefore ?? packetNumber, packetNumber)
      if let lowest, packetNumber > lowest { return .ranBackwards }
      return .none
    case .current:
      if let highestBefore, packetNumber < highestBefore { return .ranBackwards }
      lowest = min(lowest ?? packetNumber, packetNumber)
      highest = max(highest ?? packetNumber, packetNumber)
      return .none
    case .next:
      if let highest, packetNumber < highest { return .ranBackwards }
      number += 1
      highestBefore = highest ?? highestBefore
      lowest = packetNumber
      highest = packetNumber
      hasPrevious = true
      return .advanced
    }
  }

  package mutating func forgetPrevious() { hasPrevious = false }
}
