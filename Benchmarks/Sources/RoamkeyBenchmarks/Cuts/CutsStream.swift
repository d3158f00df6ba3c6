internal import Roamkey

/// What flows both ways while the network comes and goes: one stream of each kind, each in a channel of its own.
enum CutsStream: String, CaseIterable, Sendable {
  case moves, chat, state, loot, effects

  /// Ticks a second.
  static let rate = 30.0

  var delivery: Delivery {
    switch self {
    case .moves, .chat: .reliableOrdered
    case .state: .latest
    case .loot: .reliableUnordered
    case .effects: .unreliable
    }
  }

  var promise: DeliveryLog.Promise {
    switch self {
    case .moves, .chat: .reliableOrdered
    case .state: .newerOnly
    case .loot: .reliableUnordered
    case .effects: .atMostOnce
    }
  }

  var channel: UInt8 {
    switch self {
    case .moves: 0
    case .chat: 1
    case .state: 2
    case .loot: 3
    case .effects: 4
    }
  }

  /// It says something every so many ticks.
  var period: Int {
    switch self {
    case .moves, .state: 1
    case .chat: 20
    case .loot: 6
    case .effects: 3
    }
  }
}

/// One side's sending half: what it has sent of each stream, and how full its queue was.
struct CutsSender: Sendable {
  private(set) var sent: [CutsStream: Int] = [:]
  private(set) var deepestQueue = 0

  /// Sends on time until `end`, and blocks.
  mutating func run(
    from start: Monotonic, until end: Monotonic, queue: () -> Int,
    send: (TimedMessage, CutsStream) -> SendError?
  ) throws(BenchmarkFailure) {
    let ticks = Ticks(rate: CutsStream.rate, notBefore: start, offset: 0)
    var tick = 0
    while ticks[tick] < end {
      ticks[tick].sleep()
      for stream in CutsStream.allCases where tick.isMultiple(of: stream.period) {
        let number = sent[stream, default: 0]
        // A network that is away is no reason to refuse anything: the queue holds what a cut produces.
        if let error = send(TimedMessage(sequence: UInt64(number), sentAt: .now), stream) {
          throw BenchmarkFailure("\(stream) \(number) was not taken: \(error)")
        }
        sent[stream] = number + 1
      }
      deepestQueue = max(deepestQueue, queue())
      tick += 1
    }
  }
}
