import AllocationCounter

/// Whether the counter counts: a count of zeros is worth nothing without that.
enum AllocationCheck {
  private final class Something { var value = 0 }

  /// Whether this build has a counter.
  static var isActive: Bool { roamkey_counts_allocations() }

  /// Each way to the heap is seen once, and nothing is where nothing is taken.
  static func passes() -> Bool {
    var kept: [Something] = []
    kept.reserveCapacity(4)
    let nothing = Phase.send.count { sink(kept.count) }
    let object = Phase.receive.count { kept.append(Something()) }
    let array = Phase.acknowledge.count { sink([UInt8](repeating: UInt8(kept.count), count: 1000).count) }
    let memory = Phase.idle.count {
      let pointer = UnsafeMutableRawPointer.allocate(byteCount: 256, alignment: 64)
      sink(Int(bitPattern: pointer))
      pointer.deallocate()
    }
    return nothing.count == 0 && object.count == 1 && array.count == 1 && array.bytes >= 1000 && memory.count == 1
  }

  /// Keeps the optimiser from leaving out what nobody looks at.
  @inline(never) @_optimize(none)
  private static func sink(_ value: Int) { _ = value }
}
