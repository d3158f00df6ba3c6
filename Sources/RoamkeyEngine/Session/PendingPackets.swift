import RoamkeyCrypto
import RoamkeyWire

/// Packets that are written, and wait in their slots of a batch for the signature that they share (PROTOCOL §4.1).
///
/// None outlives the `fill` in which it was written: that ends by finishing them. Until then each holds its session, so
/// that the keys of one that ends meanwhile are there; and no session renews its key while it has one here.
struct PendingPackets {
  struct Packet {
    let session: Session
    let headerSize: Int
    let numberSize: Int
    let number: UInt64
    /// Where its frames end in the datagram, and the trailer begins.
    let framesEnd: Int
  }

  private var tree = SigningTree()
  private var packets = InlineArray<16, Packet?>(repeating: nil)
  /// Which datagrams of the batch they are.
  private var slots = InlineArray<16, Int>(repeating: 0)
  /// Where the next packet is written; nil outside of a batch.
  private var slot: Int?

  var isEmpty: Bool { tree.count == 0 }
  var isFull: Bool { tree.isFull }
  /// How deep the tree is.
  var depth: Int { tree.depth }

  /// Whether the packet that is being written may have a place here.
  @inline(__always)
  var takesPackets: Bool { slot != nil && tree.depth > 0 && !tree.isFull }

  /// The session of the newest packet.
  var newest: Session? { isEmpty ? nil : packets[tree.count - 1]?.session }

  func holds(_ session: Session) -> Bool {
    for i in 0..<tree.count where packets[i]?.session === session { return true }
    return false
  }

  /// Begins a tree. At depth 0 there is none: each packet is signed by itself.
  mutating func begin(depth: Int) {
    precondition(isEmpty, "packets wait for their signature")
    tree.begin(depth: depth)
  }

  /// What is written next will be this datagram of the batch; nil: it leaves in none.
  mutating func moveOn(to slot: Int?) { self.slot = slot }

  mutating func append(_ packet: Packet, leaf: Digest) {
    guard let slot else { preconditionFailure("only a packet in a batch can wait") }
    packets[tree.count] = packet
    slots[tree.count] = slot
    tree.append(leaf)
  }

  /// Signs, seals and hides them in their places.
  mutating func finish(in batch: borrowing DatagramBatch, key: borrowing PlayerKey) {
    tree.sign(with: key)
    for i in 0..<tree.count {
      guard let packet = packets[i] else { preconditionFailure("each leaf is a packet's") }
      packets[i] = nil
      var datagram = MutableRawSpan(_unsafeBytes: batch.bytes(slots[i]))
      tree.writeTrailer(of: i, to: &datagram, at: packet.framesEnd)
      packet.session.keys.protect(
        &datagram, headerSize: packet.headerSize, numberSize: packet.numberSize, number: packet.number)
    }
    tree.begin(depth: 0)
  }
}

extension EndpointContext {
  /// Adds what `next` writes to the batch, until that is nothing or the batch is full; packets share signatures.
  /// - Parameter depth: of the next tree, for a batch that takes so many packets more.
  func fill(
    _ batch: inout DatagramBatch, now: Instant, depth: (_ room: Int) -> Int,
    next: (inout OutputRawSpan) -> NetworkPath?
  ) {
    while !batch.isFull {
      if pending.isEmpty { pending.begin(depth: depth(DatagramBatch.capacity - batch.count)) }
      pending.moveOn(to: batch.count)
      guard batch.append(next) else { break }
      if !pending.isEmpty, pending.isFull || pending.newest?.isKeyRenewalDue(now: now) == true { finish(batch) }
    }
    pending.moveOn(to: nil)
    if !pending.isEmpty { finish(batch) }
  }

  private func finish(_ batch: borrowing DatagramBatch) {
    statistics.signatures += 1
    pending.finish(in: batch, key: key)
  }
}
