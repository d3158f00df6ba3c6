package import RoamkeyWire

/// The two ends of a datagram's way: where it is on this machine, where it is on the other.
package struct NetworkPath: Hashable, Sendable {
  /// The address that was, or is to be, used on this side; an unspecified one lets the system choose. Its port says
  /// which of the driver's sockets; 0, or that of a socket which is gone, means the one that it sends from by itself.
  package var local: NetworkAddress
  package var remote: NetworkAddress

  package init(local: NetworkAddress, remote: NetworkAddress) {
    self.local = local
    self.remote = remote
  }
}

/// What a driver needs to know of a protocol machine: the seam between the engine and whatever carries datagrams.
///
/// A driver calls `receive` for each datagram of a batch and `handleTimeout` when `nextTimeout` has come, then `fill`
/// until the batch is not full, then looks at `nextTimeout` again. All calls come from one thread.
///
/// Where the handler `looksAhead`, the driver shows it each datagram of a batch before the first is received: it calls
/// `lookAhead` for each, `beginBatch`, `receive` for each, `endBatch`.
package protocol DatagramHandler: AnyObject {
  /// Takes one datagram, which may be overwritten (packets are opened in place). Hostile bytes are the normal case.
  func receive(_ datagram: inout MutableRawSpan, path: NetworkPath, now: Instant)

  /// So many datagrams have come, and are received next: the handler may ask for the memory that they will need. It
  /// changes nothing, and they may be longer, or not be received after all.
  func expect(_ count: Int, _ datagram: (Int) -> UnsafeRawBufferPointer)

  /// Whether it is worth the handler's time to see the next batch as a whole first; asked once for each.
  var looksAhead: Bool { get }

  /// Sees a datagram that `receive` will get in this batch, in the same order. It may not come after all.
  func lookAhead(at datagram: RawSpan)

  /// All datagrams of the batch have been shown: does for them what is done better together.
  func beginBatch()

  /// They have been received.
  func endBatch()

  /// Does what is due at `now`.
  func handleTimeout(now: Instant)

  /// When `handleTimeout` wants to be called; nil for never.
  var nextTimeout: Instant? { get }

  /// Writes the next datagram to send, if any, at the end of `output` (which has room for `maximumDatagramSize`).
  /// - Returns: where the appended bytes go, or nil when there is nothing to send now.
  func pollTransmit(into output: inout OutputRawSpan, now: Instant) -> NetworkPath?

  /// Adds datagrams to send, until `batch` is full or there is nothing to send now. What leaves in one batch may share
  /// work, such as a signature.
  func fill(_ batch: inout DatagramBatch, now: Instant)

  /// Whether datagrams come from so many that a fraction of a millisecond matters to none of them: the driver may let
  /// them gather.
  var hasManyPeers: Bool { get }

  /// The addresses to which the driver is to watch the ways; it looks again after each turn.
  var watchedAddresses: [NetworkAddress] { get }

  /// The machine's networks are not what they were, or the watched addresses are not.
  func networkChanged(_ view: NetworkView, now: Instant)
}

extension DatagramHandler {
  package func fill(_ batch: inout DatagramBatch, now: Instant) {
    while !batch.isFull, batch.append({ pollTransmit(into: &$0, now: now) }) {}
  }

  package func expect(_ count: Int, _ datagram: (Int) -> UnsafeRawBufferPointer) {}
  package var looksAhead: Bool { false }
  package func lookAhead(at datagram: RawSpan) {}
  package func beginBatch() {}
  package func endBatch() {}
  package var hasManyPeers: Bool { false }
  package var watchedAddresses: [NetworkAddress] { [] }
  package func networkChanged(_ view: NetworkView, now: Instant) {}
}

/// The most bytes of UDP payload that the library ever sends (PROTOCOL §7).
package let maximumDatagramSize = 1400
