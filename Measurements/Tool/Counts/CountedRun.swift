import RoamkeyEngine
import RoamkeyWire

/// A case at work: engines in their steady state, and what their rounds took.
struct CountedRun {
  struct Figures {
    var allocations = 0
    var bytes = 0
  }

  let counted: CountedCase
  private let line: Line
  private let content: [UInt8]
  private(set) var figures: [Phase: Figures] = [:]
  /// What the figures are for, as a number: messages that were said, datagrams, turns.
  private(set) var units = 0
  private var said = 0

  private static let turnsInRound = 32

  /// - Parameter warmUp: rounds that are not counted.
  init(_ counted: CountedCase, warmUp: Int) {
    self.counted = counted
    content = counted.content
    line = Line(policy: counted.policy, players: counted.players)
    if case .messages(let messages) = counted.work { line.lossPeriod = messages.lossPeriod }
    for _ in 0..<warmUp { work() }
    units = 0
  }

  /// Does the work once, without counting.
  mutating func work() { round { _, body in body() } }

  var hasFailed: Bool { line.failure != nil }

  /// Does the work so many times, and counts.
  mutating func count(rounds: Int) {
    var taken: [Phase: Figures] = [:]
    for _ in 0..<rounds {
      round { phase, body in
        let allocations = phase.count(body)
        taken[phase, default: .init()].allocations += Int(allocations.count)
        taken[phase, default: .init()].bytes += Int(allocations.bytes)
      }
    }
    figures = taken
  }

  /// - Parameter perform: runs what belongs to a phase.
  private mutating func round(_ perform: (Phase, () -> Void) -> Void) {
    switch counted.work {
    case .messages(let messages): units += round(messages, perform)
    case .silence:
      let before = line.passed
      perform(.idle) { line.idle(for: .seconds(30)) }
      units += line.passed - before
    case .turns(let direction):
      line.send(direction, content, MessageOptions())
      perform(.idle) { line.turn(direction, count: Self.turnsInRound, every: .microseconds(100)) }
      line.wait(Line.latency)
      line.receive(direction)
      line.acknowledge(direction)
      units += Self.turnsInRound
    }
  }

  private mutating func round(_ messages: CountedCase.Messages, _ perform: (Phase, () -> Void) -> Void) -> Int {
    let options = messages.options
    perform(.send) {
      for i in 0..<messages.sendsInRound {
        if i > 0 { line.wait(.milliseconds(1)) }
        line.send(messages.direction, content, options, count: messages.burst)
      }
    }
    line.wait(Line.latency)
    perform(.receive) { line.receive(messages.direction) }
    perform(.acknowledge) {
      line.acknowledge(messages.direction)
      // What is lost is found out by time.
      if messages.lossPeriod > 0 { line.idle(for: .milliseconds(30)) }
    }
    let count = counted.players * messages.sendsInRound * messages.burst
    said += count
    return count
  }

  /// Why the figures mean nothing: the work was not done. Nil where it was.
  func problem() -> String? {
    if let failure = line.failure { return failure }
    guard units > 0 else { return "there was nothing to count" }
    guard case .messages(let messages) = counted.work else { return nil }
    // What is lost is sent again, or never.
    line.idle(for: .seconds(5))
    let arrives = messages.lossPeriod == 0 && messages.burst == 1 || messages.delivery.isReliable
    if arrives, line.heard != said { return "\(line.heard) of \(said) messages have arrived" }
    if line.heard == 0 { return "no message has arrived" }
    if messages.asksForReceipt, line.confirmed != said { return "\(line.confirmed) of \(said) receipts have come" }
    return nil
  }
}
