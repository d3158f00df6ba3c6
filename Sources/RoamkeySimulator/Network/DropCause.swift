/// What became of a datagram that did not arrive.
enum DropCause: UInt64 {
  /// By chance.
  case lost = 1
  /// No room in the queue before the bottleneck.
  case overflowed
  /// Larger than the MTU.
  case tooLarge
  /// The NAT had no port left.
  case exhausted
  /// The NAT did not let it in.
  case filtered
  /// Stopped by a cut.
  case cut
  /// No process to read it, or no room to wait for it.
  case missed
  /// The host had no way to where it was to go.
  case unroutable
}
