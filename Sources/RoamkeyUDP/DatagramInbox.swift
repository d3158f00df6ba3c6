package import RoamkeyEngine

/// Datagrams that other threads hand over to a driver's, which receives them as if they had come to its own socket.
///
/// Bounded: what finds no room is dropped and counted, as by a full receive buffer. Nothing is allocated for a
/// datagram.
package final class DatagramInbox: Sendable {
  /// Datagrams that wait; with the spare half, 720 KiB.
  package static let capacity = 256
  /// As in `ReceiveRing`.
  private static let fewestAhead = 4
  /// Ours are no longer.
  private static let slotSize = (maximumDatagramSize + 63) / 64 * 64

  /// Room for as many datagrams as may wait.
  ///
  /// `@unchecked`, because one is only ever touched under the lock, or by the loop that has taken it.
  private final class Half: @unchecked Sendable {
    let slots = UnsafeMutableRawPointer.allocate(byteCount: capacity * slotSize, alignment: 64)
    let sizes = UnsafeMutablePointer<Int>.allocate(capacity: capacity)
    let paths = UnsafeMutablePointer<NetworkPath>.allocate(capacity: capacity)
    var count = 0

    func append(_ datagram: UnsafeRawBufferPointer, _ path: NetworkPath) -> Bool {
      guard count < capacity, datagram.count <= slotSize else { return false }
      UnsafeMutableRawBufferPointer(start: slots + count * slotSize, count: slotSize).copyMemory(from: datagram)
      (sizes + count).initialize(to: datagram.count)
      (paths + count).initialize(to: path)
      count += 1
      return true
    }

    deinit {
      paths.deallocate()
      sizes.deallocate()
      slots.deallocate()
    }
  }

  private struct State: Sendable {
    var filling = Half()
    var spare = Half()
    var bellRings = false
    var taken: UInt64 = 0
    var dropped: UInt64 = 0
  }

  private let state = Locked(State())
  let bell: Bell

  /// Empty; for one driver.
  package init() throws(UDPError) {
    do {
      bell = try Bell()
    } catch {
      throw UDPError(.system, .any(port: 0), number: error.number)
    }
  }

  /// Copies a datagram for the driver; from any thread.
  package func post(_ datagram: UnsafeRawBufferPointer, path: NetworkPath) {
    let rings = state.withLock { state -> Bool in
      guard state.filling.append(datagram, path) else {
        state.dropped += 1
        return false
      }
      state.taken += 1
      defer { state.bellRings = true }
      return !state.bellRings
    }
    if rings { bell.ring() }
  }

  /// How many datagrams were taken for the driver, and how many were dropped.
  package var counts: (taken: UInt64, dropped: UInt64) { state.withLock { ($0.taken, $0.dropped) } }

  /// Hands all that waits to `handler`; from the driver's thread only.
  func deliver<Handler: DatagramHandler>(to handler: Handler, now: Instant) {
    let half = state.withLock { state -> Half? in
      state.bellRings = false
      guard state.filling.count > 0 else { return nil }
      swap(&state.filling, &state.spare)
      return state.spare
    }
    guard let half else { return }
    let looksAhead = half.count >= Self.fewestAhead && handler.looksAhead
    if looksAhead {
      for i in 0..<half.count {
        handler.lookAhead(at: UnsafeRawBufferPointer(start: half.slots + i * Self.slotSize, count: half.sizes[i]).bytes)
      }
      handler.beginBatch()
    }
    defer { if looksAhead { handler.endBatch() } }
    for i in 0..<half.count {
      let slot = UnsafeMutableRawBufferPointer(start: half.slots + i * Self.slotSize, count: half.sizes[i])
      var datagram = slot.mutableBytes
      handler.receive(&datagram, path: half.paths[i], now: now)
    }
    half.count = 0
  }
}
