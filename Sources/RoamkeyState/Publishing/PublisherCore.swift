internal import Roamkey
internal import RoamkeyCBOR

/// A publisher without a server: which state is told to whom as the difference to what.
struct PublisherCore {
  let action: String
  let channel: UInt8
  let limits: StateLimits
  let expires: Duration?
  var statistics = StatePublisherStatistics()
  private var frame: UInt64 = 0
  private let identity = PublisherIdentity()
  private var keys = KeyTable()
  private var records: [PlayerID: ReceiverRecord] = [:]
  /// Messages of this frame, by the states that they were made of.
  private var encoded: [Ingredients: Encoded] = [:]

  private struct Ingredients: Hashable {
    let tree: ObjectIdentifier
    let base: UInt64
    let baseTree: ObjectIdentifier?
    let older: UInt64
    let olderTree: ObjectIdentifier?
  }

  /// A body with what it was made of: as long as these are here no other tree has their identity.
  private struct Encoded {
    let body: [UInt8]
    let trees: [StateTree]
  }

  init(action: String, channel: UInt8, limits: StateLimits, expires: Duration?) {
    self.action = action
    self.channel = channel
    self.limits = limits
    self.expires = expires
  }

  /// Bit 63: the number is a publisher's. Then its channel, 16 bits of the publisher's own, the frame.
  private var receiptPrefix: UInt64 { 1 << 63 | UInt64(channel) << 55 | identity.bits << Self.frameBits }
  private static let frameBits: UInt64 = 39
  private static let frameMask: UInt64 = 1 << frameBits - 1

  /// How a message of this frame is to be sent.
  func options(_ message: StateBody) -> SendOptions {
    let isLarge = message.isLarge
    return SendOptions(
      delivery: isLarge ? .reliableOrdered : .latest, priority: .high, channel: channel,
      expires: isLarge ? expires.map { max($0, StateLimits.largeStateExpires) } : expires,
      receipt: receiptPrefix | frame & Self.frameMask)
  }

  /// Stands for the session of a client, which has no number.
  static let anySession: UInt64 = 0

  // MARK: A frame

  /// Another state is to be told.
  /// - Parameter receivers: who is there: what is known of others is forgotten.
  mutating func begin(_ receivers: [PlayerID]) {
    frame += 1
    statistics.frames += 1
    encoded.removeAll(keepingCapacity: true)
    if records.count > receivers.count {
      let present = Set(receivers)
      records = records.filter { present.contains($0.key) }
    }
    if keys.isFull(limits) {
      keys = KeyTable()
      records = [:]
    }
  }

  /// - Throws: for what cannot be encoded, and beyond the limits.
  mutating func tree(_ state: some Encodable) throws(StateError) -> StateTree {
    let value: Value
    do {
      value = try (state as? Value) ?? Value(encoding: state)
    } catch {
      throw .notEncodable("\(error)")
    }
    return try StateTree(value, keys: &keys, limits: limits)
  }

  /// The body of the message that tells a state to a receiver; nil while a large state is under way to it, which a
  /// newer one would only delay.
  mutating func body(_ tree: StateTree, for receiver: PlayerID, session: UInt64) -> StateBody? {
    if records[receiver]?.session != session { records[receiver] = ReceiverRecord(session: session) }
    if records[receiver]?.isWaiting(frame) == true { return nil }
    let known = records[receiver]?.baselines(for: frame)
    let older = known?.older
    let ingredients = Ingredients(
      tree: ObjectIdentifier(tree), base: known?.base.frame ?? 0,
      baseTree: known.map { ObjectIdentifier($0.base.tree) }, older: older?.0 ?? 0,
      olderTree: older.map { ObjectIdentifier($0.1) })
    statistics.messages += 1
    if known == nil { statistics.fullStates += 1 }
    if let body = encoded[ingredients]?.body {
      statistics.sharedUses += 1
      statistics.bytes += body.count
      return StateBody(bytes: body, isWhole: known == nil)
    }
    var header = StateHeader(frame: frame)
    var baselines = StateCoding<RangeEncoder>.Baselines()
    if let known {
      header.distance = frame - known.base.frame
      baselines.base = known.base.tree
      baselines.distance = Int64(header.distance)
      if let older {
        header.olderDistance = frame - older.0
        baselines.older = older.1
        baselines.span = Int64(header.olderDistance - header.distance)
      }
    }
    let body = header.bytes + StateCoding.encode(tree, baselines, keys: keys)
    encoded[ingredients] = Encoded(
      body: body, trees: [tree, baselines.base, baselines.older].compactMap(\.self))
    statistics.encodings += 1
    statistics.bytes += body.count
    return StateBody(bytes: body, isWhole: known == nil)
  }

  /// The message was queued.
  mutating func sent(_ tree: StateTree, _ message: StateBody, to receiver: PlayerID) {
    if message.isLarge { records[receiver]?.noteLarge(frame, tree) } else { records[receiver]?.note(frame, tree) }
  }

  /// The message could not be queued.
  mutating func failed() { statistics.failures += 1 }

  // MARK: What comes back

  /// Takes a receipt; false for one that is not ours.
  mutating func take(_ receipt: Receipt) -> Bool {
    guard receipt.number & ~Self.frameMask == receiptPrefix else { return false }
    records[receipt.player]?.note(receipt.number & Self.frameMask, wasReceived: receipt.outcome == .delivered)
    return true
  }

  /// Takes the request for a whole state; false for any other message.
  mutating func take(_ message: Message, from receiver: PlayerID) -> Bool {
    guard message.action == action + StateRequest.suffix, message.channel == channel else { return false }
    statistics.requests += 1
    // What it asks for may be under way already. Of a client's sessions nothing is known here, so it sends once more.
    if let record = records[receiver], record.session != Self.anySession, record.isWaiting(frame) { return true }
    records[receiver] = nil
    return true
  }
}

/// The body of a message.
struct StateBody {
  let bytes: [UInt8]
  let isWhole: Bool

  /// It is sent reliably, and nothing else until its outcome is known.
  var isLarge: Bool { isWhole && bytes.count > StateLimits.largeState }
}

/// What tells a publisher from others that are there with it, so that none takes another's receipts for its own. It
/// never travels. Where it is in memory does as well as chance or a counter, which have no place in this module.
private final class PublisherIdentity: Sendable {
  /// 16 bits; of two publishers they are the same once in 65,536 times.
  var bits: UInt64 { (UInt64(UInt(bitPattern: ObjectIdentifier(self))) &* 0x9e37_79b9_7f4a_7c15) >> 48 }
}

/// What a subscriber that cannot read what it gets tells its publisher (STATE §7).
enum StateRequest {
  /// Behind the action of the states.
  static let suffix = "?"
  static let maximumAction = Message.maximumActionSize - suffix.utf8.count
}
