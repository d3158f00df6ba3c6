import RoamkeyCrypto
import RoamkeyEngine
import RoamkeyWire

/// A server and its players in one process and one thread, in virtual time: datagrams pass from hand to hand, in the
/// memory of two batches. It does what a driver does in its turns, and takes nothing from the heap for it.
final class Line {
  let server: ServerEndpoint
  let clients: [ClientEndpoint]
  /// The server's sessions, in the order of the clients.
  private(set) var sessions: [SessionHandle] = []
  private(set) var now = Instant(nanoseconds: 1_000_000_000)
  /// Messages that apps were given, and datagrams that were handed over, so far.
  private(set) var heard = 0
  private(set) var passed = 0
  /// Receipts that came.
  private(set) var confirmed = 0
  /// Every so many datagrams one is lost; 0 for none.
  var lossPeriod = 0
  private var sinceLoss = 0
  /// What should not have happened.
  private(set) var failure: String?

  private var toServer = DatagramBatch()
  private var toClients = DatagramBatch()
  /// Which client sent each datagram of `toServer`.
  private var origins = [Int](repeating: 0, count: DatagramBatch.capacity)
  private var events: [EngineEvent] = []

  /// How long a datagram is on its way.
  static let latency = Duration.milliseconds(10)
  /// A little more than an acknowledgement waits for company.
  private static let ackPatience = Duration.milliseconds(30)
  /// What a pacer puts between two runs of packets, at most; less than any other timer.
  private static let pacing = Duration.milliseconds(2)
  /// Handing over ends by itself, long before.
  private static let mostPasses = 64
  private static let serverAddress = NetworkAddress(ipv4: 192, 0, 2, 1, port: 7447)

  /// Everybody has joined, and what follows from that has been said. All keys and all random numbers are the same from
  /// run to run.
  init(policy: SigningPolicy, players: Int = 1, configuration: RoamkeyConfiguration = .init()) {
    var configuration = configuration
    configuration.maximumSessionsPerPrefix = players
    var settings = ServerSettings(application: "measure/1")
    settings.signingPolicy = policy
    server = ServerEndpoint(key: Self.key(0), settings: settings, configuration: configuration, entropy: .seeded(1))
    clients = (0..<players).map { i in
      ClientEndpoint(
        key: Self.key(UInt8(i + 1)), settings: ClientSettings(application: "measure/1"), configuration: configuration,
        entropy: .seeded(UInt64(i + 2)))
    }
    events.reserveCapacity(256)
    for client in clients { client.connect(to: [Self.serverAddress], now: now) }
    settle()
    if sessions.count != players { failure = "\(sessions.count) of \(players) players have joined" }
  }

  private static func key(_ number: UInt8) -> PlayerKey {
    var seed = [UInt8](repeating: number, count: 32)
    return PlayerKey(seed: SecretBytes(wiping: &seed))
  }

  /// Everything that belongs to the current handshakes and messages is said: nobody has anything to send at once.
  func settle() {
    for _ in 0..<Self.mostPasses {
      let before = passed
      acknowledge(.down)
      acknowledge(.up)
      if passed == before { return }
    }
    failure = "the two sides do not fall silent"
  }

  // MARK: A message's way

  enum Direction: String, CaseIterable { case up, down }

  /// The app says something, `count` times to or from each player, and the loop takes its turns until all of it has
  /// left.
  func send(_ direction: Direction, _ content: [UInt8], _ options: MessageOptions, count: Int = 1) {
    do throws(SendError) {
      for i in clients.indices {
        for _ in 0..<count {
          switch direction {
          case .up: try clients[i].send(content, options, now: now)
          case .down: try server.send(content, options, to: sessions[i], now: now)
          }
        }
      }
    } catch { failure = "a message was not taken" }
    fill(direction, patience: Self.pacing)
  }

  /// Time passes between two messages.
  func wait(_ duration: Duration) { now = now + duration }

  /// What is on its way arrives, and apps take what it brings.
  func receive(_ direction: Direction) {
    switch direction {
    case .up:
      for i in 0..<toServer.count where !isLost() {
        deliver(toServer.bytes(i), to: server, local: Self.serverAddress, remote: Self.address(origins[i]))
      }
      passed += toServer.count
      toServer.removeAll()
      takeEventsOfServer()
    case .down:
      for i in 0..<toClients.count where !isLost() {
        let remote = toClients.path(i).remote
        let client = clients[Int(remote.port) - Self.firstPort]
        deliver(toClients.bytes(i), to: client, local: remote, remote: Self.serverAddress)
      }
      passed += toClients.count
      toClients.removeAll()
      for client in clients { takeEvents(of: client) }
    }
  }

  /// Who has received something answers; and so on, until there is nothing more to say.
  /// - Parameter direction: in which the messages went.
  func acknowledge(_ direction: Direction) {
    let back = direction == .up ? Direction.down : .up
    for _ in 0..<Self.mostPasses {
      let before = passed
      fill(back, patience: Self.ackPatience, isOnce: true)
      now = now + Self.latency
      receive(back)
      fill(direction, patience: .zero)
      now = now + Self.latency
      receive(direction)
      if passed == before { return }
    }
    failure = "acknowledgements do not end"
  }

  /// Time passes, and whatever is due in it happens.
  func idle(for duration: Duration) {
    let end = now + duration
    while let next = nextTimeout, next <= end {
      now = max(now, next)
      fill(.up, patience: .zero)
      fill(.down, patience: .zero)
      receive(.up)
      receive(.down)
    }
    now = end
  }

  /// Turns of one side's loops in which nothing is due.
  func turn(_ direction: Direction, count: Int, every step: Duration) {
    for _ in 0..<count {
      now = now + step
      fill(direction, patience: .zero)
    }
  }

  // MARK: Turns of a loop

  private var nextTimeout: Instant? {
    var next = server.nextTimeout
    for client in clients { if let other = client.nextTimeout { next = min(next ?? other, other) } }
    return next
  }

  /// Lets one side's loops take their turns.
  /// - Parameters:
  ///   - patience: how soon something must be due to be waited for.
  ///   - isOnce: only until something leaves.
  private func fill(_ direction: Direction, patience: Duration, isOnce: Bool = false) {
    switch direction {
    case .up: for i in clients.indices { fill(from: i, patience: patience, isOnce: isOnce) }
    case .down:
      repeat {
        if let due = server.nextTimeout, due <= now { server.handleTimeout(now: now) }
        server.fill(&toClients, now: now)
        if isOnce, !toClients.isEmpty { return }
      } while moveOn(to: server.nextTimeout, patience)
    }
  }

  private func fill(from i: Int, patience: Duration, isOnce: Bool) {
    let client = clients[i]
    let first = toServer.count
    repeat {
      if let due = client.nextTimeout, due <= now { client.handleTimeout(now: now) }
      client.fill(&toServer, now: now)
      if isOnce, toServer.count > first { break }
    } while moveOn(to: client.nextTimeout, patience)
    for place in first..<toServer.count { origins[place] = i }
  }

  private func moveOn(to next: Instant?, _ patience: Duration) -> Bool {
    guard let next, next > now, next <= now + patience, !toServer.isFull, !toClients.isFull else { return false }
    now = next
    return true
  }

  private static let firstPort = 5000

  private static func address(_ client: Int) -> NetworkAddress {
    NetworkAddress(ipv4: 198, 51, 100, 7, port: UInt16(firstPort + client))
  }

  private func deliver(
    _ bytes: UnsafeMutableRawBufferPointer, to endpoint: some DatagramHandler, local: NetworkAddress,
    remote: NetworkAddress
  ) {
    var span = MutableRawSpan(_unsafeBytes: bytes)
    endpoint.receive(&span, path: NetworkPath(local: local, remote: remote), now: now)
  }

  private func isLost() -> Bool {
    guard lossPeriod > 0 else { return false }
    sinceLoss = (sinceLoss + 1) % lossPeriod
    return sinceLoss == 0
  }

  // MARK: Apps

  private func takeEventsOfServer() {
    server.drainEvents(into: &events)
    for event in events {
      switch event {
      case .message(let session, let message):
        heard += 1
        server.consumed(message.credit, stream: message.stream, of: session, now: now)
      case .joined(let session, _, _): sessions.append(session)
      case .roamed, .offline, .online, .left, .receipt, .connectFailed, .searching, .reset: note(event)
      }
    }
    events.removeAll(keepingCapacity: true)
  }

  private func takeEvents(of client: ClientEndpoint) {
    client.drainEvents(into: &events)
    for event in events {
      if case .message(_, let message) = event {
        heard += 1
        client.consumed(message.credit, stream: message.stream, now: now)
      } else {
        note(event)
      }
    }
    events.removeAll(keepingCapacity: true)
  }

  private func note(_ event: EngineEvent) {
    switch event {
    case .receipt: confirmed += 1
    case .left, .connectFailed, .offline, .reset: failure = "a session did not go on: \(event)"
    // Where datagrams are lost some silences are longer than a few round trips.
    case .searching: if lossPeriod == 0 { failure = "a session did not go on: \(event)" }
    case .joined, .message, .roamed, .online: break
    }
  }
}
