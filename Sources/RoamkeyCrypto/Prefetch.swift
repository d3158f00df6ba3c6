import RoamkeySodium

// Asks the processor for memory that is about to be used: it comes while something else is done. That changes nothing,
// and is allowed to be wrong.

/// Asks for some bytes.
@inline(__always)
package func prefetch(_ start: UnsafeRawPointer, bytes: Int) { roamkey_prefetch(start, bytes) }

extension SecretBytes {
  /// Asks for some of it.
  package borrowing func prefetch(at offset: Int, size: Int) { roamkey_prefetch(pointer(at: offset, size: size), size) }
}
