internal import Roamkey

/// Roamkey's clients, through their public interface.
///
/// One has a thread of its own for its datagrams, or is polled on the only thread there is. Many that play are polled
/// in rotation by one thread, as ENet's are: with a thread each they would take from the server what it is measured by.
/// Many that come in and rest have a thread each, since how soon all are in is what is asked of them.
///
/// `@unchecked`: a process uses its only party from one task.
final class RoamkeyClientParty: Party, @unchecked Sendable {
  /// An app with many clients looks at each of them once in so many calls of `receive`.
  private static let rotation = 50
  /// But at no more than so many in one call: in processes of thousands it would take the cores that the server needs.
  private static let looksAtOnce = 20
  /// Of many that are polled so many connect at a time: until they are in, each is looked at every millisecond, and
  /// those that are in already only between two such groups.
  private static let atOnce = 16

  let clients: [Client]
  private let loop: LoopMode
  private var next = 0
  /// Of many that are polled: who has sent since the last `flush`.
  private var senders: [Int] = []

  var peers: Int { clients.count }
  private var isPolledCrowd: Bool { loop == .polled && clients.count > 1 }

  /// Returns once all are connected.
  init(
    _ policy: SigningPolicy, _ settings: PartySettings, _ loop: LoopMode = .ownThread
  ) async throws(BenchmarkFailure) {
    let isCrowd = settings.peers > 1
    let loop: LoopMode = !isCrowd ? loop : settings.rests ? .ownThread : .polled
    self.loop = loop
    let server: PlayerID
    do { server = try PlayerID(settings.serverID) } catch { throw BenchmarkFailure("\(error)") }
    let atOnce = isCrowd && loop == .polled ? Self.atOnce : settings.peers
    var clients: [Client] = []
    while clients.count < settings.peers {
      let count = min(atOnce, settings.peers - clients.count)
      clients += try await Self.connect(count, policy, to: server, settings.port, loop)
      guard clients.count < settings.peers else { break }
      for (peer, client) in clients.enumerated() {
        for event in client.takeEvents() { try Self.apply(event, of: peer) { _, _ in } }
      }
    }
    self.clients = clients
  }

  /// So many at once.
  private static func connect(
    _ count: Int, _ policy: SigningPolicy, to server: PlayerID, _ port: UInt16, _ loop: LoopMode
  ) async throws(BenchmarkFailure) -> [Client] {
    let results = await withTaskGroup(of: Result<Client, BenchmarkFailure>.self) { group in
      for _ in 0..<count {
        group.addTask {
          await .of { () throws(BenchmarkFailure) in try await connect(policy, to: server, port, loop) }
        }
      }
      var results: [Result<Client, BenchmarkFailure>] = []
      for await result in group { results.append(result) }
      return results
    }
    var clients: [Client] = []
    for result in results { clients.append(try result.get()) }
    return clients
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
      if isPolledCrowd { senders.append(peer) }
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

  /// It is sent at once by itself, or with what is polled for next, where there is not a whole rotation until then.
  func flush() {
    for peer in senders { clients[peer].flush() }
    senders.removeAll(keepingCapacity: true)
  }

  func waitForRoom(_ peer: Int) async { await clients[peer].waitForRoom() }

  func receive(
    until moment: Monotonic?, _ take: (Int, UnsafeRawBufferPointer) -> Void
  ) async throws(BenchmarkFailure) {
    switch loop {
    case .polled where clients.count == 1: try poll(until: moment, take)
    case .ownThread, .polled: try await wait(until: moment, take)
    }
  }

  private func poll(
    until moment: Monotonic?, _ take: (Int, UnsafeRawBufferPointer) -> Void
  ) throws(BenchmarkFailure) {
    while true {
      let events = clients[0].poll(for: moment.map { $0 - .now } ?? .seconds(1))
      for event in events { try Self.apply(event, of: 0, take) }
      if let moment { if moment <= .now { return } } else if !events.isEmpty { return }
    }
  }

  private func wait(
    until moment: Monotonic?, _ take: (Int, UnsafeRawBufferPointer) -> Void
  ) async throws(BenchmarkFailure) {
    guard let moment else {
      // Only ever asked of one client.
      for await event in clients[0].events {
        try Self.apply(event, of: 0, take)
        break
      }
      for event in clients[0].takeEvents() { try Self.apply(event, of: 0, take) }
      return
    }
    moment.sleep()
    // Those that are polled carry their datagrams here.
    for _ in 0..<min((clients.count + Self.rotation - 1) / Self.rotation, Self.looksAtOnce) {
      for event in clients[next].takeEvents() { try Self.apply(event, of: next, take) }
      next = (next + 1) % clients.count
    }
  }

  var datagramsSent: Double? {
    get async { Double(await clients[0].statistics().datagramsSent) }
  }

  private static func apply(
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
