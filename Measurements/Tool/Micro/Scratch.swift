/// Memory for a packet, at one place for the whole measurement.
final class Scratch {
  let bytes: UnsafeMutableRawBufferPointer

  init(count: Int = 1600) {
    bytes = .allocate(byteCount: count, alignment: 64)
    bytes.initializeMemory(as: UInt8.self, repeating: 7)
  }

  deinit { bytes.deallocate() }

  var pointer: UnsafeMutablePointer<UInt8> { bytes.baseAddress!.assumingMemoryBound(to: UInt8.self) }

  /// The first `count` bytes.
  func first(_ count: Int) -> UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(rebasing: bytes[..<count])
  }

  func copy(_ count: Int, from other: Scratch) {
    bytes.copyMemory(from: UnsafeRawBufferPointer(rebasing: other.bytes[..<count]))
  }
}

/// Keeps the optimiser from leaving out what nobody looks at.
@inline(never) @_optimize(none)
func keep<Value>(_ value: Value) {}
