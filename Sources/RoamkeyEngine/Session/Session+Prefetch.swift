import RoamkeyCrypto
import RoamkeyWire

// Of thousands of sessions nothing is in the processor's caches when a packet comes. One load after the other would
// wait for main memory, a hundred times for a packet. So what the next packets need is asked for beforehand: first the
// session itself, then what it points to, then what that points to (docs/decisions/0025).
//
// What is named here is what a packet in and a packet out come by. Whatever is missing is merely slower.

extension Session {
  /// What packets come by of a session's object: up to the first part of `paths`.
  static let prefetchedBytes = 2888

  /// Asks for what the session points to.
  func prefetchRooms() {
    keys.prefetch()
    window.prefetch()
    received.prefetch()
    sent.prefetch()
    issuedIDs.prefetch()
    peerIDs.prefetch()
    channels.prefetch()
    withUnsafeBytes(of: &peerClock) { clock in
      if let start = clock.baseAddress { RoamkeyCrypto.prefetch(start, bytes: Self.prefetchedBytesOfClock) }
    }
  }

  /// What is owed, and when the next request is due.
  private static let prefetchedBytesOfClock = 32
}

/// Asks for the first bytes of what a collection keeps its elements in; the collection is one reference, as an array or
/// a deque is. `inout`, so that the reference is read in its place: to copy it is to count it, and that is to wait for
/// the very memory.
@inline(__always)
func prefetchStorage<Collection>(of collection: inout Collection, bytes: Int) {
  precondition(MemoryLayout<Collection>.size == MemoryLayout<UnsafeRawPointer>.size, "a collection is one reference")
  withUnsafeBytes(of: &collection) { prefetch($0.load(as: UnsafeRawPointer.self), bytes: bytes) }
}

extension SessionKeys {
  /// Those of the current phase: of each direction the first four.
  borrowing func prefetch() {
    memory.prefetch(at: Self.offset(.initiatorToResponder, .headerProtection), size: 4 * 32)
    memory.prefetch(at: Self.offset(.responderToInitiator, .headerProtection), size: 4 * 32)
  }
}

extension Outgoing {
  mutating func prefetch() {
    prefetchStorage(of: &streams, bytes: 256)
    prefetchStorage(of: &lanes, bytes: 512)
    prefetchIndex()
    schedule.prefetch()
  }

  /// Those of the first streams: most sessions have no others.
  mutating func prefetchLanes() {
    for i in lanes.indices.prefix(Self.prefetchedLanes) { lanes[i].prefetch() }
  }

  private static let prefetchedLanes = 5
}
