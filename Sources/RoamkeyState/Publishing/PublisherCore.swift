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

  /// Bit 63: the number is a publisher's. Then its channel, then the frame.
  private var receiptPrefix: UInt64 { 1 << 63 | UInt64(channel) << 55 }

  var options: SendOptions {
    SendOptions(
      delivery: .latest, priority: .high, channel: channel, expires: expires,
      receipt: receiptPrefix | frame & (1 << 55 - 1))
  }

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

  /// The body of the message that tells a state to a receiver.
  mutating func body(_ tree: StateTree, for receiver: PlayerID, session: UInt64) -> [UInt8] {
    if records[receiver]?.session != session { records[receiver] = ReceiverRecord(session: session) }
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
      return body
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
    return body
  }

  /// The message was queued.
  mutating func sent(_ tree: StateTree, to receiver: PlayerID) { records[receiver]?.note(frame, tree) }

  /// The message could not be queued.
  mutating func failed() { statistics.failures += 1 }

  // MARK: What comes back

  /// Takes a receipt; false for one that is not ours.
  mutating func take(_ receipt: Receipt) -> Bool {
    guard receipt.number & ~(1 << 55 - 1) == receiptPrefix else { return false }
    records[receipt.player]?.note(receipt.number & (1 << 55 - 1), wasReceived: receipt.outcome == .delivered)
    return true
  }

  /// Takes the request for a whole state; false for any other message.
  mutating func take(_ message: Message, from receiver: PlayerID) -> Bool {
    guard message.action == action + StateRequest.suffix, message.channel == channel else { return false }
    statistics.requests += 1
    records[receiver] = nil
    return true
  }
}

/// What a subscriber that cannot read what it gets tells its publisher (STATE §7).
enum StateRequest {
  /// Behind the action of the states.
  static let suffix = "?"
  static let maximumAction = Message.maximumActionSize - suffix.utf8.count
}
