internal import Roamkey
internal import RoamkeyCBOR

/// A subscriber without a type: reads messages, and remembers what later ones are the difference to.
struct SubscriberCore {
  private struct Baseline {
    let frame: UInt64
    let tree: StateTree
  }

  /// Messages that cannot be read before a request is repeated: the first time, and then each time.
  private static let (patience, longPatience) = (32, 64)

  let action: String
  let channel: UInt8
  let limits: StateLimits
  var statistics = StateSubscriberStatistics()
  private var keys = KeyTable()
  /// The last one came last.
  private var baselines: [Baseline] = []
  /// The number of the last message in its session, of those that are `latest`.
  private var lastMessage: UInt64?
  /// Messages in a row that could not be read.
  private var unread = 0
  /// A whole state is to be asked for.
  private var mustAsk = false

  init(action: String, channel: UInt8, limits: StateLimits) {
    self.action = action
    self.channel = channel
    self.limits = limits
  }

  func isState(_ message: Message) -> Bool { message.action == action && message.channel == channel }

  /// Reads a message; the state's frame and value.
  mutating func read(_ message: Message) throws(StateError) -> (frame: UInt64, value: Value) {
    noteSession(message)
    statistics.messages += 1
    statistics.bytes += message.body.count
    do throws(StateError) {
      let (frame, tree) = try decode(message.body)
      let value = try tree.value(keys: keys)
      remember(frame, tree)
      unread = 0
      mustAsk = false
      statistics.states += 1
      return (frame, value)
    } catch {
      statistics.unreadable += 1
      // The first, the 32nd, and each 64th: the answer is on its way for a while, and many may come at once.
      unread += 1
      mustAsk = mustAsk || unread == 1 || unread == Self.patience || unread % Self.longPatience == 0
      // What could not be read may have brought keys all the same.
      if keys.isFull(limits) { forget() }
      throw error
    }
  }

  /// Within a session the numbers of a stream only rise. A state that came reliably is a whole one and has numbers of
  /// its own; what follows it may be another session's.
  private mutating func noteSession(_ message: Message) {
    guard message.delivery != .reliableOrdered else {
      lastMessage = nil
      return
    }
    if let last = lastMessage, message.id < last {
      forget()
      unread = 0
    }
    lastMessage = message.id
  }

  private mutating func decode(_ body: [UInt8]) throws(StateError) -> (UInt64, StateTree) {
    if keys.isFull(limits) { forget() }
    var payload = body[...]
    let header = try StateHeader(&payload)
    var known = StateCoding<RangeDecoder>.Baselines()
    if header.distance > 0 {
      known.base = try baseline(header.frame - header.distance)
      known.distance = Int64(header.distance)
      if header.olderDistance > 0 {
        known.older = try baseline(header.frame - header.olderDistance)
        known.span = Int64(header.olderDistance - header.distance)
      }
    } else {
      statistics.fullStates += 1
    }
    return (header.frame, try StateCoding.decode(payload, known, keys: &keys, limits: limits))
  }

  /// A publisher that has begun anew counts anew: of two with the same number the one that came last is meant.
  private func baseline(_ frame: UInt64) throws(StateError) -> StateTree {
    guard let known = baselines.last(where: { $0.frame == frame }) else { throw .missingBaseline }
    return known.tree
  }

  private mutating func remember(_ frame: UInt64, _ tree: StateTree) {
    if baselines.count == StateLimits.maximumBaselines { baselines.removeFirst() }
    baselines.append(Baseline(frame: frame, tree: tree))
    var weight = 0
    for index in baselines.indices.reversed() {
      weight += baselines[index].tree.weight
      guard weight <= StateLimits.maximumWeight || index == baselines.count - 1 else {
        baselines.removeFirst(index + 1)
        break
      }
    }
  }

  private mutating func forget() {
    baselines = []
    keys = KeyTable()
  }

  /// The message that asks for a whole state, where one is needed and was not asked for yet.
  mutating func takeRequest() -> Message? {
    guard mustAsk else { return nil }
    mustAsk = false
    statistics.requests += 1
    return Message([UInt8](), as: action + StateRequest.suffix)
  }

  /// Asks again with the next chance: the request could not be sent.
  mutating func askAgain() { mustAsk = true }
}
