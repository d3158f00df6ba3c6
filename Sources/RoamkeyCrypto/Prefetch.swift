import RoamkeySodium

/// Asks the processor for the first bytes of an object that is about to be used: they come while something else is
/// done. It changes nothing, and is allowed to be wrong about the size.
@inline(__always)
package func prefetch(_ object: AnyObject, bytes: Int) {
  roamkey_prefetch(Unmanaged.passUnretained(object).toOpaque(), bytes)
}
