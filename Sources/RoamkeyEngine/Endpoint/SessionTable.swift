import RoamkeyCrypto

/// What a session is found by: a number that this side has chosen, at random or one after the other.
protocol SessionKey: Hashable {
  var number: UInt64 { get }
}

extension UInt64: SessionKey {
  var number: UInt64 { self }
}

extension SessionHandle: SessionKey {
  var number: UInt64 { rawValue }
}

/// Sessions by their connection ids, or by their handles.
///
/// A dictionary would do, but not for thousands of sessions: it hashes each number at length, in case that somebody
/// chose it to collide, and looks at three places of which none is in the processor's caches. Nobody else chooses these
/// numbers, and here is one place to look at: open addressing, with number and session side by side.
struct SessionTable<Key: SessionKey> {
  private struct Slot {
    var key: Key
    var session: Session
  }

  /// A power of two; at least a quarter is empty.
  private var slots: [Slot?] = Array(repeating: nil, count: 16)
  private(set) var count = 0

  var isEmpty: Bool { count == 0 }

  /// All of them, in no order.
  var keys: [Key] { slots.compactMap { $0?.key } }
  var values: [Session] { slots.compactMap { $0?.session } }

  subscript(key: Key) -> Session? {
    get { place(of: key).flatMap { slots[$0]?.session } }
    set {
      if let newValue { insert(newValue, for: key) } else { remove(key) }
    }
  }

  /// Where a session is in memory. The session itself is not looked at, not even to count a reference to it.
  func address(of key: Key) -> UnsafeRawPointer? {
    place(of: key).map { unsafeBitCast(slots[$0]?.session, to: UnsafeRawPointer.self) }
  }

  /// Asks for where a session is noted.
  @inline(never)
  func prefetch(_ key: Key) {
    let place = home(of: key)
    guard let start = slots.withUnsafeBufferPointer({ $0.baseAddress }) else { return }
    RoamkeyCrypto.prefetch(start + place, bytes: MemoryLayout<Slot?>.size)
  }

  private var mask: Int { slots.count - 1 }

  /// The high bits of a product depend on all bits of the number (Knuth, TAOCP 6.4).
  private func home(of key: Key) -> Int {
    Int(truncatingIfNeeded: (key.number &* 0x9e37_79b9_7f4a_7c15) >> UInt64(64 - slots.count.trailingZeroBitCount))
  }

  private func place(of key: Key) -> Int? {
    var place = home(of: key)
    while let found = slots[place]?.key {
      if found == key { return place }
      place = (place + 1) & mask
    }
    return nil
  }

  private mutating func insert(_ session: Session, for key: Key) {
    if let place = place(of: key) {
      slots[place]?.session = session
      return
    }
    if (count + 1) * 4 > slots.count * 3 { grow() }
    add(Slot(key: key, session: session))
    count += 1
  }

  private mutating func add(_ slot: Slot) {
    var place = home(of: slot.key)
    while slots[place] != nil { place = (place + 1) & mask }
    slots[place] = slot
  }

  private mutating func grow() {
    let old = slots
    slots = Array(repeating: nil, count: 2 * old.count)
    for case .some(let slot) in old { add(slot) }
  }

  /// Whoever stands behind the gap, and not in front of where they belong, moves up into it.
  private mutating func remove(_ key: Key) {
    guard var gap = place(of: key) else { return }
    slots[gap] = nil
    count -= 1
    var place = (gap + 1) & mask
    while let other = slots[place]?.key {
      if (place - home(of: other)) & mask >= (place - gap) & mask {
        slots.swapAt(gap, place)
        gap = place
      }
      place = (place + 1) & mask
    }
  }
}
