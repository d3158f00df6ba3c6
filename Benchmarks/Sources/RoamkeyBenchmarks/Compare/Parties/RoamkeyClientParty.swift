internal import Roamkey

/// Roamkey's clients, through their public interface. Each has a thread of its own for its datagrams; the app is one
/// task for all of them. A single one may be polled instead, on the only thread there is.
///
/// `@unchecked`: a process uses its only party from one task.
final class RoamkeyClientParty: Party, @unchecked Sendable {
  /// An app with many clients looks at each of them once in so many calls of `receive`.
  private static let rotation = 50

  let clients: [Client]
  private let loop: LoopMode
  private var next = 0

  var peers: Int { clients.count }

  /// Returns once all are connected.
  init(
    _ policy: SigningPolicy, _ settings: PartySettings, _ loop: LoopMode = .ownThread
  ) async throws(BenchmarkFailure) {
    let loop = settings.peers == 1 ? loop : .ownThread
    self.loop = loop
    let server: PlayerID
    do { server = try PlayerID(settings.serverID) } catch { throw BenchmarkFailure("\(error)") }
    let results = await withTaskGroup(of: Result<Client, BenchmarkFailure>.self) { group in
      for _ in 0..<settings.peers {
        group.addTask {
          await .of { () throws(BenchmarkFailure) in try await Self.connect(policy, to: server, settings.port, loop) }
        }
      }
      var results: [Result<Client, BenchmarkFailure>] = []
      for await result in group { results.append(result) }
      return results
    }
    var clients: [Client] = []
    for result in results { clients.append(try result.get()) }
    self.clients = clients
  }

  private static func connect(
    _ policy: SigningPolicy, to server: PlayerID, _ port: UInt16, _ loop: LoopMode
  ) async throws(BenchmarkFailure) -> Client {
    do throws(RoamkeyError) {
      return try await Client(
        key: .generate(), application: RoamkeyPair.application, server: "127.0.0.1:\(port)", pinned: server,
        requiring: policy, loop: loop)
    } catch {
      throw BenchmarkFailure(error.description)
    }
  }

  func send(_ bytes: [UInt8], to peer: Int, _ promise: Promise) throws(BenchmarkFailure) -> Bool {
    do throws(SendError) {
      try clients[peer].send(bytes, delivery: promise.delivery)
      return true
    } catch .queueFull {
      return false
    } catch {
      throw BenchmarkFailure("a client does not send: \(error)")
    }
  }

  func broadcast(_ bytes: [UInt8], _ promise: Promise) throws(BenchmarkFailure) {
    for peer in clients.indices { _ = try send(bytes, to: peer, promise) }
  }

  /// It is sent at once by itself, or with what is polled for next.
  func flush() {}

  func waitForRoom(_ peer: Int) async { await clients[peer].waitForRoom() }

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
      let events = clients[0].poll(for: moment.map { $0 - .now } ?? .seconds(1))
      for event in events { try apply(event, of: 0, take) }
      if let moment { if moment <= .now { return } } else if !events.isEmpty { return }
    }
  }

  private func wait(
    until moment: Monotonic?, _ take: (Int, UnsafeRawBufferPointer) -> Void
  ) async throws(BenchmarkFailure) {
    guard let moment else {
      // Only ever asked of one client.
      for await event in clients[0].events {
        try apply(event, of: 0, take)
        break
      }
      for event in clients[0].takeEvents() { try apply(event, of: 0, take) }
      return
    }
    moment.sleep()
    for _ in 0..<(clients.count + Self.rotation - 1) / Self.rotation {
      for event in clients[next].takeEvents() { try apply(event, of: next, take) }
      next = (next + 1) % clients.count
    }
  }

  var datagramsSent: Double? {
    get async { Double(await clients[0].statistics().datagramsSent) }
  }

  private func apply(
    _ event: Client.Event, of peer: Int, _ take: (Int, UnsafeRawBufferPointer) -> Void
  ) throws(BenchmarkFailure) {
    switch event {
    case .message(let message): message.body.withUnsafeBytes { take(peer, $0) }
    case .roamed, .serverRoamed, .offline, .online: break
    case .reconnected: throw BenchmarkFailure("a session was lost, and another one begun")
    case .disconnected(let reason): throw BenchmarkFailure("a session has ended: \(reason)")
    }
  }
}
