import RoamkeyEngine
import RoamkeySimulator
import RoamkeyWire
import Testing

/// Messages of all kinds in one direction of a session, and what is promised of them: exactly once, only newer, nothing
/// after expiry, one outcome for each receipt, ages that are right.
struct RandomMail {
  private struct Letter {
    let stream: StreamID
    let sentAt: Instant
    let expiresAt: Instant?
    let wantsReceipt: Bool
    var arrivals = 0
  }

  /// Letters have numbers of their own, so that they are told from each other in bodies and receipts.
  private var letters: [Letter] = []
  private let salt: UInt64

  init(salt: UInt64) { self.salt = salt }

  /// Plans so many letters from `start` on; `send` hands one over when its time has come.
  mutating func write(
    _ count: Int, from start: Instant, using random: inout SeededRandom,
    send: (_ after: Duration, _ body: [UInt8], _ options: MessageOptions, _ lifetime: Duration?) -> Void
  ) {
    var time = Duration.zero
    for number in 0..<count {
      if random.chance(0.7) { time += random.duration(below: .milliseconds(200)) }
      // The default stream has a story of its own.
      var delivery = Delivery.allCases.randomElement(using: &random) ?? .latest
      let channel = UInt8.random(in: 0...3, using: &random)
      if channel == 0, delivery == .reliableOrdered { delivery = .unreliable }
      let wantsReceipt = random.chance(0.3)
      let options = MessageOptions(
        delivery: delivery, channel: channel, priority: Priority.allCases.randomElement(using: &random) ?? .normal,
        receipt: wantsReceipt ? UInt64(number) : nil)
      let lifetime: Duration? = random.chance(0.3) ? random.duration(below: .seconds(3)) : nil
      let size = Int.random(in: 8...(random.chance(0.1) ? 4000 : 200), using: &random)
      letters.append(
        Letter(
          stream: options.stream, sentAt: start + time, expiresAt: lifetime.map { start + time + $0 },
          wantsReceipt: wantsReceipt))
      send(time, numberedMessage(number, size: size, salt: salt), options, lifetime)
    }
  }

  /// What a clock showed when, and how exactly that can be judged.
  struct Clocks {
    let receiver: SimulatedClock
    /// A clock that stood still for a time cannot be compared with the world's.
    let areSteady: Bool
  }

  /// What is wrong, if anything.
  mutating func problems(
    delivered: [SimulatedProcess.Delivered], receipts: [(number: UInt64, outcome: DeliveryOutcome)], clocks: Clocks
  ) -> [String] {
    var problems: [String] = []
    var last: [StreamID: Int] = [:]
    for item in delivered where item.message.stream != MessageOptions().stream {
      let body = item.message.content.body
      let number = body.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
      guard letters.indices.contains(number), numberedMessage(number, size: body.count, salt: salt) == body else {
        problems.append("a message that nobody sent")
        continue
      }
      letters[number].arrivals += 1
      let letter = letters[number]
      if letter.stream != item.message.stream { problems.append("letter \(number) came in another stream") }
      let isOrdered = letter.stream.delivery == .reliableOrdered || letter.stream.delivery == .latest
      if isOrdered, let last = last[letter.stream], last >= number {
        problems.append("letter \(number) of \(letter.stream) after \(last)")
      }
      last[letter.stream] = number
      problems += timeProblems(letter, number, item, clocks)
    }
    for (number, letter) in letters.enumerated() {
      let mustArrive = letter.stream.delivery.isReliable && letter.expiresAt == nil
      if letter.arrivals > 1 || mustArrive && letter.arrivals == 0 {
        problems.append("letter \(number) of \(letter.stream) arrived \(letter.arrivals) times")
      }
    }
    return problems + receiptProblems(receipts)
  }

  private func timeProblems(
    _ letter: Letter, _ number: Int, _ item: SimulatedProcess.Delivered, _ clocks: Clocks
  ) -> [String] {
    guard clocks.areSteady else { return [] }
    var problems: [String] = []
    // What is ordered may have waited for a message before it, and then it is that one's datagram which is known.
    if letter.stream.delivery != .reliableOrdered, let expiresAt = letter.expiresAt, item.carriedAt > expiresAt {
      problems.append("letter \(number) of \(letter.stream) left \(item.carriedAt - expiresAt) after it had expired")
    }
    if let error = item.message.sentAtError {
      let off = clocks.receiver.moment(of: item.message.sentAt) - letter.sentAt
      if max(off, .zero - off) > error + .milliseconds(1) {
        problems.append("letter \(number)'s time is off by \(off), more than \(error)")
      }
    }
    return problems
  }

  private func receiptProblems(_ receipts: [(number: UInt64, outcome: DeliveryOutcome)]) -> [String] {
    var problems: [String] = []
    var outcomes: [UInt64: DeliveryOutcome] = [:]
    for receipt in receipts {
      if let first = outcomes.updateValue(receipt.outcome, forKey: receipt.number) {
        problems.append("receipt \(receipt.number) twice: \(first), \(receipt.outcome)")
      }
    }
    for (number, letter) in letters.enumerated() where letter.wantsReceipt {
      switch outcomes[UInt64(number)] {
      case nil: problems.append("no outcome for letter \(number) of \(letter.stream)")
      case .delivered: if letter.arrivals == 0 { problems.append("letter \(number) is said to be delivered") }
      case .expired: if letter.expiresAt == nil { problems.append("letter \(number) cannot expire") }
      case .superseded, .lost:
        if letter.stream.delivery.isReliable { problems.append("letter \(number) of a reliable stream was dropped") }
      }
    }
    return problems
  }
}
