import Roamkey
import RoamkeyCBOR
import RoamkeyEngine
import RoamkeyState
import RoamkeyWire

extension FuzzTargets {
  /// Replicated state: a publisher and somebody who reads what it says, and beside these two who are told something
  /// else: altered messages, other headers before them, and bytes of any kind.
  ///
  /// What the honest one reads is what was published, always. The others get an error, or a state within the limits.
  static let states = FuzzTarget(
    "states", longestInput: 800,
    milestones: [
      "whole", "difference", "extrapolated", "large", "beyondTheLimits", "alteredRefused", "alteredRead",
      "wrongBaseline", "missingBaseline", "tooMuch", "asked", "record", "bytesRead",
    ]
  ) { input, reached in
    // A few bytes may become a state as large as the limits allow; these are read in a moment.
    let limits = StateLimits(maximumValues: 1 << 12, maximumBytes: 1 << 14)
    var world = StateWorld(limits: limits)
    var orders = 0
    while !input.isEmpty, orders < 48 {
      orders += 1
      switch input.byte() % 8 {
      case 0: world.publish(StateWorld.value(input.counted()), isLost: false, &reached)
      case 1: world.publish(StateWorld.altered(world.last, &input), isLost: false, &reached)
      case 2: world.publish(StateWorld.altered(world.last, &input), isLost: true, &reached)
      case 3: world.confirm(input.byte())
      case 4: world.alter(&input, &reached)
      case 5: world.replaceHeader(input.counted(), &reached)
      case 6: world.hear(input.counted(), isAltered: true, &reached)
      default: world.ask(&reached)
      }
    }
  }
}

/// A publisher, its honest reader, and two who are lied to.
struct StateWorld {
  private struct Told {
    let message: Message
    let receipt: UInt64?
    let wasHeard: Bool
  }

  private let limits: StateLimits
  private let outlet = StateOutlet()
  private var publisher: StatePublisher<Value>
  private var reader: StateSubscriber<Value>
  private var victim: StateSubscriber<Value>
  /// Expects a type of its own.
  private var typed: StateSubscriber<FuzzRecord>
  private var told: [Told] = []
  private var clock: Int64 = 1 << 40
  private var number: UInt64 = 0
  /// What was published last.
  private(set) var last = Value.list([])

  init(limits: StateLimits) {
    self.limits = limits
    publisher = StatePublisher(limits: limits)
    reader = StateSubscriber(limits: limits)
    victim = StateSubscriber(limits: limits)
    typed = StateSubscriber(limits: limits)
  }

  // MARK: The honest

  mutating func publish(_ value: Value, isLost: Bool, _ reached: inout Milestones) {
    clock += 50_000_000
    let before = publisher.statistics
    if let error = publisher.publish(value, to: outlet) {
      guard case .notEncodable = error else { preconditionFailure("a state was not sent: \(error)") }
      return reached.reach(4)
    }
    last = value
    // A large one is under way.
    guard let sent = outlet.take() else { return }
    let message = message(sent.message.body, sent.options)
    told.append(Told(message: message, receipt: sent.options.receipt, wasHeard: !isLost))
    if publisher.statistics.fullStates > before.fullStates { reached.reach(0) } else { reached.reach(1) }
    // The third number of the header is that of the older baseline, and these are all small.
    if sent.message.body.count > 2, sent.message.body[2] > 0 { reached.reach(2) }
    if sent.options.delivery == .reliableOrdered { reached.reach(3) }
    guard !isLost else { return }
    precondition(reader.take(message), "the state is not the publisher's")
    precondition(reader.lastError == nil, "an honest state was not read: \(reader.lastError.map { "\($0)" } ?? "")")
    guard let newest = reader.newest, let read = try? newest.cbor(), let published = try? value.cbor() else {
      preconditionFailure("an honest state is not there")
    }
    precondition(read == published, "what was read is not what was published")
    hear(message, isAltered: false, &reached)
  }

  /// Tells the publisher what became of a message.
  mutating func confirm(_ back: UInt8) {
    guard !told.isEmpty else { return }
    let told = told[told.count - 1 - Int(back) % told.count]
    guard let receipt = told.receipt else { preconditionFailure("states ask for receipts") }
    let left = publisher.take([
      Receipt(number: receipt, player: outlet.serverID, outcome: told.wasHeard ? .delivered : .lost)
    ])
    precondition(left.isEmpty, "a publisher does not know its own receipt")
  }

  /// Who cannot read asks, and the next state is a whole one.
  mutating func ask(_ reached: inout Milestones) {
    guard let request = victim.takeRequest() else { return }
    reached.reach(10)
    let content = message(request.body, victim.requestOptions, action: request.action)
    precondition(publisher.take(content, from: outlet.serverID), "a publisher does not know what it is asked")
    precondition(victim.takeRequest() == nil, "it asks twice at once")
  }

  // MARK: The lied to

  /// The newest message with some bytes changed, or cut.
  mutating func alter(_ input: inout FuzzInput, _ reached: inout Milestones) {
    guard var body = told.last?.message.body, !body.isEmpty else { return }
    for _ in 0...input.number(below: 3) {
      let place = input.int16() % body.count
      body[place] ^= max(1, input.byte())
    }
    if input.number(below: 4) == 0 { body.removeLast(min(body.count, Int(input.byte()))) }
    hear(body, isAltered: true, &reached)
  }

  /// The newest message behind another header: another number, other baselines.
  mutating func replaceHeader(_ header: [UInt8], _ reached: inout Milestones) {
    guard let body = told.last?.message.body else { return }
    var payload = body[...]
    for _ in 0..<3 { while let byte = payload.popFirst(), byte & 0x80 != 0 {} }
    hear(header + payload, isAltered: true, &reached)
  }

  mutating func hear(_ body: [UInt8], isAltered: Bool, _ reached: inout Milestones) {
    hear(message(body, .init(delivery: .latest, channel: defaultStateChannel)), isAltered: isAltered, &reached)
  }

  private mutating func hear(_ message: Message, isAltered: Bool, _ reached: inout Milestones) {
    precondition(victim.take(message) && typed.take(message), "a message with its action is a state")
    if typed.lastError == nil { reached.reach(11) }
    switch victim.lastError {
    case nil where isAltered: reached.reach(6)
    case nil: reached.reach(12)
    case .wrongBaseline: reached.reach(7)
    case .missingBaseline: reached.reach(8)
    case .tooManyValues, .tooManyBytes, .tooDeep, .tooMuchWork: reached.reach(9)
    case .malformed, .notDecodable, .notEncodable: if isAltered { reached.reach(5) }
    }
    guard let newest = victim.newest else { return }
    let size = Self.size(newest)
    precondition(size.values <= limits.maximumValues && size.bytes <= limits.maximumBytes, "a state beyond its limits")
    guard let frame = victim.frame(at: GameTime(Instant(nanoseconds: clock))) else {
      preconditionFailure("there is a state, and nothing to show")
    }
    precondition((0...1).contains(frame.fraction), "a moment that is not between its states")
  }

  // MARK: Making things

  private mutating func message(
    _ body: [UInt8], _ options: SendOptions, action: String = "state"
  ) -> Message {
    number += 1
    let now = Instant(nanoseconds: clock)
    let content = MessageContent(format: .bytes, action: action, body: body)
    return Message(
      InboundMessage(
        stream: StreamID(channel: options.channel, delivery: options.delivery), sequence: number, content: content,
        credit: 0, receivedAt: now, sentAt: now + .milliseconds(-20), sentAtError: nil),
      sender: nil)
  }

  /// CBOR where the bytes are some, or what they are as numbers.
  static func value(_ bytes: [UInt8]) -> Value {
    (try? Value(cbor: bytes)) ?? .list(bytes.map { .integer(Int128($0)) })
  }

  /// Something in it is another, or new, or gone.
  static func altered(_ value: Value, _ input: inout FuzzInput, depth: Int = 0) -> Value {
    let order = input.byte()
    switch value {
    case .list(var list) where depth < 8:
      guard !list.isEmpty else { return .list([Self.value(input.counted())]) }
      let place = input.number(below: list.count)
      switch order % 8 {
      case 0: list.append(list[place])
      case 1: list.remove(at: place)
      case 2: list.swapAt(place, input.number(below: list.count))
      case 3: list = list.map { altered($0, by: Int64(order)) }
      // A few bytes are to become a large state, and one beyond the limits.
      case 4 where list.count <= 1024: list = (1...8).flatMap { copy in list.map { scattered($0, by: copy) } }
      default: list[place] = altered(list[place], &input, depth: depth + 1)
      }
      return .list(list)
    case .dictionary(var entries) where depth < 8:
      // In an order that is the same always.
      let keys = entries.keys.sorted { "\($0)" < "\($1)" }
      guard !keys.isEmpty else { return .dictionary(["id": 1]) }
      let key = keys[input.number(below: keys.count)]
      switch order % 8 {
      case 0: entries[key] = nil
      case 1: entries[.integer(Int128(input.byte()))] = entries[key]
      default: entries[key] = entries[key].map { altered($0, &input, depth: depth + 1) }
      }
      return .dictionary(entries)
    default:
      return order % 8 == 0 ? Self.value(input.counted()) : altered(value, by: Int64(order) - 128)
    }
  }

  /// A number that has moved.
  private static func altered(_ value: Value, by step: Int64) -> Value {
    switch value {
    case .integer(let integer) where integer.magnitude < 1 << 62: .integer(integer + Int128(step))
    case .number(let number): .number(number + Double(step) / 10)
    case .text(let text): .text(text + "\(step)")
    default: value
    }
  }

  /// A number that is none of those around it.
  private static func scattered(_ value: Value, by step: Int) -> Value {
    guard case .integer(let integer) = value else { return value }
    let bits = (UInt64(truncatingIfNeeded: integer) &+ UInt64(step)) &* 0x9e37_79b9_7f4a_7c15
    return .integer(Int128(bits >> 32))
  }

  private static func size(_ value: Value) -> (values: Int, bytes: Int) {
    func sum(_ parts: [Value]) -> (values: Int, bytes: Int) {
      parts.reduce(into: (1, 0)) { sum, part in
        let size = size(part)
        sum = (sum.0 + size.values, sum.1 + size.bytes)
      }
    }
    switch value {
    case .null, .undefined, .bool, .integer, .number, .simple: return (1, 0)
    case .bytes(let bytes): return (1, bytes.count)
    case .text(let text): return (1, text.utf8.count)
    case .list(let list): return sum(list)
    // Keys count by their bytes.
    case .dictionary(let entries):
      let (values, bytes) = sum(Array(entries.values))
      return (values, bytes + entries.keys.reduce(0) { $0 + ($1.text?.utf8.count ?? 0) })
    case .tagged(_, let inner): return sum([inner])
    }
  }
}
