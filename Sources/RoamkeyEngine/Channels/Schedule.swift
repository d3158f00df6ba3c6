import DequeModule
import RoamkeyCrypto

/// Which lane writes next (PROTOCOL §9.3).
///
/// Eight rings: for each priority one of lanes with lost bytes and one of lanes with new ones, the most urgent first.
/// The lanes of a ring take turns, packet by packet. A lane may stand in a ring where it no longer belongs; whoever
/// comes upon it there moves it.
struct Schedule: Sendable {
  private(set) var rings = InlineArray<8, Deque<UInt16>>(repeating: [])
  /// The rings that have lanes in them, as bits.
  private var busy: UInt8 = 0
  /// How many bytes of more urgent messages were sent since each priority, waiting, last had a turn.
  private var passedOver = InlineArray<4, Int>(repeating: 0)

  /// After so many bytes a less urgent message gets a turn: a tenth of a second at 1 Mbit/s.
  static let patience = 16 << 10

  var isEmpty: Bool { busy == 0 }

  /// A lane's place: in which ring, and where in it.
  struct Position {
    var ring = 0
    var place = 0
  }

  mutating func prefetch() {
    for ring in rings.indices { prefetchStorage(of: &rings[ring], bytes: 64) }
  }

  mutating func add(_ lane: Int, to ring: Int) {
    let priority = ring / 2
    if busy & Self.mask(priority) == 0 { passedOver[priority] = 0 }
    rings[ring].append(UInt16(lane))
    busy |= 1 << UInt8(ring)
  }

  mutating func remove(at position: Position) {
    rings[position.ring].remove(at: position.place)
    if rings[position.ring].isEmpty { busy &= ~(1 << UInt8(position.ring)) }
  }

  /// It has had its turn in this packet.
  mutating func rotate(at position: Position) {
    rings[position.ring].append(rings[position.ring].remove(at: position.place))
  }

  /// The first lane at `position` or behind it.
  func next(from position: Position) -> Position? {
    if position.place < rings[position.ring].count { return position }
    let rest = position.ring < 7 ? busy >> UInt8(position.ring + 1) : 0
    guard rest != 0 else { return nil }
    return Position(ring: position.ring + 1 + rest.trailingZeroBitCount)
  }

  /// The first lane of the most urgent priority that was passed over for too long.
  var starved: Position? {
    guard busy > 3 else { return nil }
    for priority in 1..<4 where passedOver[priority] >= Self.patience {
      let waiting = busy & Self.mask(priority)
      if waiting != 0 { return Position(ring: waiting.trailingZeroBitCount) }
    }
    return nil
  }

  /// How many bytes of a ring's priority may be sent until a less urgent one has waited too long.
  func allowance(ofRing ring: Int) -> Int {
    var allowance = Int.max
    for priority in (ring / 2 + 1)..<4 where busy & Self.mask(priority) != 0 {
      allowance = min(allowance, Self.patience - passedOver[priority])
    }
    return allowance
  }

  /// So many bytes were sent by a lane of a ring.
  mutating func note(_ bytes: Int, ofRing ring: Int) {
    guard bytes > 0 else { return }
    passedOver[ring / 2] = 0
    for priority in (ring / 2 + 1)..<4 where busy & Self.mask(priority) != 0 {
      passedOver[priority] += bytes
    }
  }

  private static func mask(_ priority: Int) -> UInt8 { 3 << UInt8(2 * priority) }
}
