internal import Roamkey
internal import Synchronization

/// What one process has got of the players' messages: each stream in order and whole, and when.
final class FloodDeliveries: Sendable {
  private struct State {
    /// By player: how far its stream has come.
    var streams: [PlayerID: UInt64] = [:]
    var sent: [Int64] = []
    var ages: [Int64] = []
    var failures: [String] = []
  }

  private let state: Mutex<State>

  /// - Parameter capacity: messages, for which the memory is there and used before anything is measured.
  init(capacity: Int) {
    var state = State()
    state.sent = Array(repeating: 1, count: capacity)
    state.ages = Array(repeating: 1, count: capacity)
    state.sent.removeAll(keepingCapacity: true)
    state.ages.removeAll(keepingCapacity: true)
    self.state = Mutex(state)
  }

  var count: Int { state.withLock { $0.sent.count } }
  /// What was not as promised, in a sentence each.
  var failures: [String] { state.withLock { $0.failures } }

  func fail(_ sentence: String) { state.withLock { $0.failures.append(sentence) } }

  /// Takes a message of a player, or to it: reliable and in order, so it has to be the next one.
  func receive(_ bytes: [UInt8], of player: PlayerID, at now: Monotonic) {
    let message: TimedMessage
    do throws(BenchmarkFailure) { message = try TimedMessage(bytes) } catch { return fail(error.description) }
    state.withLock { state in
      let due = state.streams[player, default: 0]
      if message.sequence != due { state.failures.append("message \(message.sequence) arrived where \(due) was due") }
      state.streams[player] = message.sequence + 1
      state.sent.append(message.sentAt.nanoseconds)
      state.ages.append((now - message.sentAt).wholeNanoseconds)
    }
  }

  /// The delays of what was sent in a while.
  func figures(from start: Monotonic, to end: Monotonic) -> FloodFigures {
    state.withLock { state in
      let ages = zip(state.sent, state.ages).filter { (start.nanoseconds..<end.nanoseconds).contains($0.0) }
      return FloodFigures(Percentiles(ages.map { .nanoseconds($0.1) }))
    }
  }
}

/// How long messages of one direction took in one phase, from `send` until the other app had them.
struct FloodFigures: Equatable, Sendable {
  var count: Int
  var p50, p99, maximum: Duration

  init(_ percentiles: Percentiles) {
    count = percentiles.count
    (p50, p99) = (percentiles[50] ?? .zero, percentiles[99] ?? .zero)
    maximum = percentiles.maximum ?? .zero
  }

  /// - Throws: what the process says instead.
  init(line: String) throws(BenchmarkFailure) {
    let numbers = line.split(separator: " ").compactMap { Int64($0) }
    guard numbers.count == 4, line.split(separator: " ").count == 4 else { throw BenchmarkFailure(line) }
    count = Int(numbers[0])
    (p50, p99, maximum) = (.nanoseconds(numbers[1]), .nanoseconds(numbers[2]), .nanoseconds(numbers[3]))
  }

  var line: String { "\(count) \(p50.wholeNanoseconds) \(p99.wholeNanoseconds) \(maximum.wholeNanoseconds)" }
}
