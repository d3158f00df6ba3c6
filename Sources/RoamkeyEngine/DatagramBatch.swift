internal import RoamkeyWire

/// The preallocated memory of the datagrams that leave together, in one flush.
///
/// Each has a slot of its own, in order; a datagram may be written in one step and finished (signed, sealed) in
/// another.
package struct DatagramBatch: ~Copyable {
  /// Datagrams.
  package static let capacity = 64
  /// Room for the largest datagram, in whole cache lines.
  package static let slotSize = (maximumDatagramSize + 63) / 64 * 64

  private let slots = UnsafeMutableRawPointer.allocate(byteCount: capacity * slotSize, alignment: 64)
  private let sizes = UnsafeMutablePointer<Int>.allocate(capacity: capacity)
  private let paths = UnsafeMutablePointer<NetworkPath>.allocate(capacity: capacity)
  /// How many there are.
  package private(set) var count = 0

  package init() {
    let nowhere = NetworkAddress.any(port: 0)
    sizes.initialize(repeating: 0, count: Self.capacity)
    paths.initialize(repeating: NetworkPath(local: nowhere, remote: nowhere), count: Self.capacity)
  }

  deinit {
    paths.deallocate()
    sizes.deallocate()
    slots.deallocate()
  }

  package var isEmpty: Bool { count == 0 }
  package var isFull: Bool { count == Self.capacity }

  package mutating func removeAll() { count = 0 }

  /// Adds the datagram that `write` appends to an empty span with room for `maximumDatagramSize`; none where it
  /// returns nil. The batch must not be full.
  /// - Returns: whether there was one.
  package mutating func append(_ write: (inout OutputRawSpan) -> NetworkPath?) -> Bool {
    precondition(!isFull, "a full batch takes no further datagram")
    let buffer = UnsafeMutableRawBufferPointer(start: slots + count * Self.slotSize, count: maximumDatagramSize)
    var output = OutputRawSpan(buffer: buffer, initializedCount: 0)
    let path = write(&output)
    let size = output.finalize(for: buffer)
    guard let path else { return false }
    sizes[count] = size
    paths[count] = path
    count += 1
    return true
  }

  // MARK: One datagram

  /// Where a datagram goes.
  package func path(_ index: Int) -> NetworkPath {
    precondition(index < count, "the batch has no such datagram")
    return paths[index]
  }

  /// The bytes of a datagram; valid until the batch is emptied.
  package func bytes(_ index: Int) -> UnsafeMutableRawBufferPointer {
    precondition(index < count, "the batch has no such datagram")
    return UnsafeMutableRawBufferPointer(start: slots + index * Self.slotSize, count: sizes[index])
  }
}
