internal import ArgumentParser
internal import Glibc
internal import Roamkey

/// The client's process: takes some messages, then nothing until its parent says so, then all of them.
struct StalledClient: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stalled-client", abstract: "The client of `stalled`, which starts it.", shouldDisplay: false)

  /// How many large messages it takes before it stops.
  static let taken = 4
  /// The large messages take turns in so many channels: one alone does not fill what a session may hold
  /// (`channelReceiveCredit`).
  static let channels = 4
  /// What its parent writes when it is to go on.
  static let goOn = "read on"

  /// The name of a message, by which its channel is known.
  static func action(_ number: Int) -> String { "\(BulkTransfer.action)\(number % channels)" }

  @Option var port: Int
  @Option var server: String
  @Option var messages: Int
  @Option var seed: UInt64

  func run() async throws {
    let result = await Result.of { () throws(BenchmarkFailure) in try await play() }
    switch result {
    case .success(let arrived): print(arrived.line)
    case .failure(let failure): print("FAILED: \(failure)")
    }
    fflush(nil)
  }

  private func play() async throws(BenchmarkFailure) -> StalledArrivals {
    let client: Client
    do {
      client = try await Client(
        key: .generate(), application: RoamkeyPair.application, server: "127.0.0.1:\(port)", pinned: PlayerID(server))
    } catch {
      throw BenchmarkFailure("\(error)")
    }
    var reader = StalledReader(seed: seed)
    try await reader.read(client, until: Self.taken)
    let command = try await onOwnThread { () throws(BenchmarkFailure) in ChildProcess.readLine(from: STDIN_FILENO) }
    guard command == Self.goOn else { throw BenchmarkFailure("the server's process has gone") }
    try await reader.read(client, until: messages)
    var arrived = StalledArrivals(messages: reader.messages, state: reader.state.count)
    arrived.stateDropped = Int(await client.statistics().unreadDropped)
    await client.close()
    return arrived
  }
}

/// What the client's app has got, as it tells its parent.
struct StalledArrivals: Sendable, Equatable {
  var messages: Int
  var state: Int
  /// Messages of the state that made room for newer ones.
  var stateDropped = 0

  init(messages: Int, state: Int) { (self.messages, self.state) = (messages, state) }

  /// - Throws: what the client says instead.
  init(line: String) throws(BenchmarkFailure) {
    let numbers = line.split(separator: " ").compactMap { Int($0) }
    guard numbers.count == 3, line.split(separator: " ").count == 3 else {
      throw BenchmarkFailure("the client: \(line)")
    }
    (messages, state, stateDropped) = (numbers[0], numbers[1], numbers[2])
  }

  var line: String { "\(messages) \(state) \(stateDropped)" }
}

/// Takes events and compares every byte.
private struct StalledReader {
  private let pattern: BulkPattern
  private var next: [Int]
  private(set) var messages = 0
  private(set) var state = DeliveryLog(StateStream.promise)

  init(seed: UInt64) {
    pattern = BulkPattern(seed: seed)
    next = Array(0..<StalledClient.channels)
  }

  /// Reads until so many large messages have been taken in all.
  mutating func read(_ client: Client, until count: Int) async throws(BenchmarkFailure) {
    for await event in client.events {
      switch event {
      case .message(let message) where message.action.hasPrefix(BulkTransfer.action):
        guard let channel = next.indices.first(where: { StalledClient.action($0) == message.action }),
          message.body == pattern.message(next[channel])
        else { throw BenchmarkFailure("the message after \(next) did not arrive as it was sent") }
        next[channel] += StalledClient.channels
        messages += 1
        if messages == count { return }
      case .message(let message): try state.receive(message.body, at: .now)
      case .roamed, .serverRoamed, .offline, .online: break
      case .reconnected: throw BenchmarkFailure("the session was lost, and another one begun")
      case .disconnected(let reason): throw BenchmarkFailure("the session has ended: \(reason)")
      }
    }
    throw BenchmarkFailure("no more events after message \(messages)")
  }
}
