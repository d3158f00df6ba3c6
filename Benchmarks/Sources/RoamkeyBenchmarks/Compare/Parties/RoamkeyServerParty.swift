internal import Roamkey

/// Roamkey's server, through its public interface: an app that waits for an event and takes all that wait then, or
/// that looks at each tick; or one that polls, on the only thread there is.
///
/// `@unchecked`: a process uses its only party from one task.
final class RoamkeyServerParty: Party, @unchecked Sendable {
  let server: Server
  private let tellsPeers: Bool
  private let loop: LoopMode
  private var players: [PlayerID] = []
  private var numbers: [PlayerID: Int] = [:]

  var peers: Int { players.count }

  init(
    _ policy: SigningPolicy, _ settings: PartySettings, _ loop: LoopMode = .ownThread
  ) async throws(BenchmarkFailure) {
    var configuration = RoamkeyConfiguration()
    // All clients of a comparison come from one address.
    configuration.maximumSessions = max(configuration.maximumSessions, settings.peers)
    configuration.maximumSessionsPerPrefix = configuration.maximumSessions
    // An app that is flooded and does not look for a moment has as much room as in ENet's sockets and queues.
    configuration.unreadUnreliableLimit = 32 << 20
    do throws(RoamkeyError) {
      server = try await Server(
        key: .generate(), application: RoamkeyPair.application, listen: NetworkAddress(ipv4: 127, 0, 0, 1, port: 0),
        signingPolicy: policy, loop: loop, discovery: .off, configuration: configuration)
    } catch {
      throw BenchmarkFailure(error.description)
    }
    tellsPeers = settings.tellsPeers
    self.loop = loop
  }

  func send(_ bytes: [UInt8], to peer: Int, _ promise: Promise) throws(BenchmarkFailure) -> Bool {
    switch server.send(bytes, to: players[peer], delivery: promise.delivery) {
    case nil: return true
    case .queueFull: return false
    case .some(let error): throw BenchmarkFailure("the server does not send: \(error)")
    }
  }

  func broadcast(_ bytes: [UInt8], _ promise: Promise) throws(BenchmarkFailure) {
    let failures = server.broadcast(bytes, delivery: promise.delivery)
    if let (_, error) = failures.first { throw BenchmarkFailure("the server does not broadcast: \(error)") }
  }

  /// It is sent at once by itself, or with what is polled for next.
  func flush() {}

  func waitForRoom(_ peer: Int) async { await server.waitForRoom(for: players[peer]) }

  func receive(
    until moment: Monotonic?, _ take: (Int, UnsafeRawBufferPointer) -> Void
  ) async throws(BenchmarkFailure) {
    switch loop {
    case .ownThread: try await wait(until: moment, take)
    case .polled: try poll(until: moment, take)
    }
  }

  private func poll(
    until moment: Monotonic?, _ take: (Int, UnsafeRawBufferPointer) -> Void
  ) throws(BenchmarkFailure) {
    while true {
      let events = server.poll(for: moment.map { $0 - .now } ?? .seconds(1))
      for event in events { try apply(event, take) }
      if let moment { if moment <= .now { return } } else if !events.isEmpty { return }
    }
  }

  private func wait(
    until moment: Monotonic?, _ take: (Int, UnsafeRawBufferPointer) -> Void
  ) async throws(BenchmarkFailure) {
    if let moment {
      moment.sleep()
    } else {
      for await event in server.events {
        try apply(event, take)
        break
      }
    }
    for event in server.takeEvents() { try apply(event, take) }
  }

  var datagrams: Double? {
    get async {
      let statistics = await server.statistics()
      return Double(statistics.datagramsSent + statistics.datagramsReceived)
    }
  }

  private func apply(
    _ event: Server.Event, _ take: (Int, UnsafeRawBufferPointer) -> Void
  ) throws(BenchmarkFailure) {
    switch event {
    case .message(let message, let player):
      let number = tellsPeers ? numbers[player] ?? 0 : 0
      message.body.withUnsafeBytes { take(number, $0) }
    case .joined(let player):
      numbers[player] = players.count
      players.append(player)
    case .left(_, let reason): throw BenchmarkFailure("a session has ended: \(reason)")
    case .roamed, .offline, .online: break
    }
  }
}

extension Promise {
  var delivery: Delivery {
    switch self {
    case .reliable: .reliableOrdered
    case .unreliable: .unreliable
    }
  }
}
