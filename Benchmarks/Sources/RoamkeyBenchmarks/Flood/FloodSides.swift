internal import ArgumentParser
internal import BenchmarkSockets
internal import Glibc
internal import Roamkey

/// The server's process: sends to all players at each tick, as games do, and takes what they say.
struct FloodServer: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "flood-server", abstract: "The server of `flood`, which starts it.", shouldDisplay: false)

  @Option var messages: Double
  @Option var capacity: Int
  @Option var policy: BulkCommand.Policy

  func run() async throws { await FloodLine.end(with: Result.of { () throws(BenchmarkFailure) in try await serve() }) }

  private func serve() async throws(BenchmarkFailure) {
    let server: Server
    do throws(RoamkeyError) {
      server = try await Server(
        key: .generate(), application: RoamkeyPair.application, listen: NetworkAddress(ipv4: 127, 0, 0, 1, port: 0),
        signingPolicy: policy.signingPolicy, discovery: .off)
    } catch { throw BenchmarkFailure(error.description) }
    let deliveries = FloodDeliveries(capacity: capacity)
    let reading = Task {
      for await event in server.events {
        switch event {
        case .message(let message, let player): deliveries.receive(message.body, of: player, at: .now)
        case .joined, .roamed, .online: break
        case .offline(let player): deliveries.fail("the server heard nothing of \(player.shortFingerprint)")
        case .left(let player, let reason): deliveries.fail("\(player.shortFingerprint) left: \(reason)")
        }
      }
    }
    FloodLine.say("\(server.address.port) \(server.id)")
    let rate = messages
    try await onOwnThread { () throws(BenchmarkFailure) in
      try FloodSide(rate: rate, deliveries: deliveries).obey { tick in
        let players = server.players
        let message = TimedMessage(sequence: UInt64(tick), sentAt: .now)
        for (player, error) in server.send(Message(message.bytes), to: players, options: .init()) {
          deliveries.fail("nothing more could be sent to \(player.shortFingerprint): \(error)")
        }
        return players.count
      }
    }
    reading.cancel()
    FloodLine.say("\(await server.statistics().dropped)")
  }
}

/// The players' process: each sends at its own moment of the tick.
struct FloodPlayers: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "flood-players", abstract: "The players of `flood`, which starts them.", shouldDisplay: false)

  /// Of one address, since a server takes 32 sessions from each.
  private static let household = 16

  @Option var messages: Double
  @Option var capacity: Int
  @Option var port: UInt16
  @Option var server: String
  @Option var players: Int

  func run() async throws { await FloodLine.end(with: Result.of { () throws(BenchmarkFailure) in try await play() }) }

  private func play() async throws(BenchmarkFailure) {
    let deliveries = FloodDeliveries(capacity: capacity)
    var clients: [Client] = []
    for index in 0..<players {
      clients.append(try await connect(index))
    }
    let everybody = clients
    let reading = Task {
      await withTaskGroup { group in
        for client in everybody { group.addTask { await Self.read(client, into: deliveries) } }
      }
    }
    FloodLine.say("ready")
    let rate = messages * Double(players)
    try await onOwnThread { () throws(BenchmarkFailure) in
      try FloodSide(rate: rate, deliveries: deliveries).obey { tick in
        let message = TimedMessage(sequence: UInt64(tick / everybody.count), sentAt: .now)
        do throws(SendError) {
          try everybody[tick % everybody.count].send(message.bytes)
          return 1
        } catch {
          deliveries.fail("a player could not send: \(error)")
          return 0
        }
      }
    }
    reading.cancel()
    FloodLine.say("0")
  }

  private func connect(_ index: Int) async throws(BenchmarkFailure) -> Client {
    let household = 2 + index / Self.household
    do {
      return try await Client(
        key: .generate(), application: RoamkeyPair.application, server: "127.0.0.1:\(port)", pinned: PlayerID(server),
        bind: NetworkAddress(ipv4: 127, 0, UInt8(household >> 8), UInt8(household & 0xff), port: 0))
    } catch { throw BenchmarkFailure("a player did not get in: \(error)") }
  }

  private static func read(_ client: Client, into deliveries: FloodDeliveries) async {
    for await event in client.events {
      switch event {
      case .message(let message): deliveries.receive(message.body, of: client.id, at: .now)
      case .roamed, .serverRoamed, .online: break
      case .offline: deliveries.fail("\(client.id.shortFingerprint) heard nothing of the server")
      case .reconnected: deliveries.fail("\(client.id.shortFingerprint) lost its session, and got another one")
      case .disconnected(let reason): deliveries.fail("\(client.id.shortFingerprint) was dropped: \(reason)")
      }
    }
  }
}

/// What both sides do: send at each tick, and tell their parent what has arrived.
struct FloodSide: Sendable {
  /// How long what is under way may need to arrive, once nothing more is sent.
  static let patience: Duration = .seconds(20)

  /// Ticks a second.
  let rate: Double
  let deliveries: FloodDeliveries

  /// Obeys until it is told to end; blocks.
  /// - Parameter send: sends what is due at a tick, and returns how many messages that were.
  func obey(_ send: (Int) -> Int) throws(BenchmarkFailure) {
    var ticks: Ticks?
    var (tick, sent) = (0, 0)
    while true {
      if let ticks, !FloodLine.waits {
        ticks[tick].sleep()
        sent += send(tick)
        tick += 1
        continue
      }
      let line = ChildProcess.readLine(from: STDIN_FILENO) ?? ""
      let words = line.split(separator: " ")
      let numbers = words.dropFirst().compactMap { Int64($0) }
      switch words.first {
      case "go": ticks = Ticks(rate: rate, notBefore: .now, offset: 0)
      case "report" where numbers.count == 2:
        let (start, end) = (Monotonic(nanoseconds: numbers[0]), Monotonic(nanoseconds: numbers[1]))
        FloodLine.say(deliveries.figures(from: start, to: end).line)
      case "halt":
        ticks = nil
        FloodLine.say("\(sent)")
      case "await" where numbers.count == 1: tell(expecting: Int(numbers[0]))
      case "end": return
      default: throw BenchmarkFailure("a process of the benchmark was told \"\(line)\"")
      }
    }
  }

  /// How many have arrived, and then what was not as promised, a line each and an empty one.
  private func tell(expecting count: Int) {
    let end = Monotonic.now + Self.patience
    while deliveries.count < count, Monotonic.now < end { usleep(10_000) }
    FloodLine.say("\(deliveries.count)")
    for failure in deliveries.failures { FloodLine.say(failure) }
    FloodLine.say("")
  }
}

/// How the processes of `flood` talk with their parent: lines.
enum FloodLine {
  /// Whether the parent has written something, or has gone.
  static var waits: Bool {
    var input = [pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)]
    return poll(&input, 1, 0) != 0
  }

  static func say(_ line: String) {
    print(line)
    fflush(nil)
  }

  /// There is nobody to say goodbye to: the other process ends as well.
  static func end(with result: Result<Void, BenchmarkFailure>) -> Never {
    if case .failure(let failure) = result { say("FAILED: \(failure)") }
    _exit(0)
  }
}
