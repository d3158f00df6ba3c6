internal import Roamkey
internal import RoamkeyTerminal

/// Server, players and the network between them, and what each of them does all the time.
final class DemoCast: Sendable {
  static let application = "roamkey-demo/1"

  let server: Server
  let relay: DemoRelay
  let ada: Client
  let ben: Client
  let record = Monitor(DemoRecord())
  private let stopsSteps = Monitor(false)

  init() async throws(Failure) {
    let adaKey = PlayerKey.generate()
    let benKey = PlayerKey.generate()
    let (adaID, benID) = (adaKey.id, benKey.id)
    do throws(RoamkeyError) {
      server = try await Server(
        key: .generate(), application: Self.application, listen: NetworkAddress(ipv4: 127, 0, 0, 1, port: 0),
        allow: [adaID, benID], discovery: .off)  // The relay is to be the only way.
    } catch {
      throw Failure(error)
    }
    relay = try DemoRelay(server: server.address)
    do throws(RoamkeyError) {
      ada = try await Client(
        key: adaKey, application: Self.application, server: "\(relay.address)", pinned: server.id,
        bind: NetworkAddress(ipv4: 127, 0, 0, 2, port: 0))
      ben = try await Client(
        key: benKey, application: Self.application, server: "\(server.address)", pinned: server.id,
        bind: NetworkAddress(ipv4: 127, 0, 0, 9, port: 0))
    } catch {
      throw Failure(error)
    }
  }

  /// Begins what goes on behind the story.
  func begin() {
    Task { [server, record, id = ada.id] in await Self.host(server, record, ada: id) }
    Task { [ada, record] in await Self.listen(ada, to: .ben, record) }
    Task { [ben, record] in await Self.listen(ben, to: .ada, record) }
    Task { [self] in await step(.ada) }
    Task { [self] in await step(.ben) }
  }

  // MARK: The server

  private static func host(_ server: Server, _ record: Monitor<DemoRecord>, ada: PlayerID) async {
    for await event in server.events {
      switch event {
      case .joined: record.withLock { $0.joins += 1 }
      case .message(let message, let player): server.broadcast(message, from: player)
      case .roamed(let player, let from, let to):
        if player == ada { record.withLock { $0.moves.append(DemoRecord.Move(from: from, to: to)) } }
      case .offline, .online: break
      case .left(_, let reason):
        record.withLock { record in
          record.leaves += 1
          record.lastReason = reason
        }
      }
    }
  }

  // MARK: The players

  private func client(_ speaker: DemoRecord.Speaker) -> Client {
    switch speaker {
    case .ada: ada
    case .ben: ben
    }
  }

  /// Sends something as the next message of a player's stream: its number, and what is said.
  func say(_ text: String, _ speaker: DemoRecord.Speaker) async {
    let player = client(speaker)
    while true {
      let result = record.withLock { record -> Result<Void, SendError> in
        // Under the lock, so that the numbers go out in their order.
        do throws(SendError) {
          try player.send("\(record[speaker].sent)|\(text)", as: text.isEmpty ? "step" : "chat")
        } catch {
          return .failure(error)
        }
        record[speaker].sent += 1
        return .success(())
      }
      switch result {
      case .success, .failure(.notConnected), .failure(.tooLarge), .failure(.notEncodable): return
      case .failure(.queueFull): await player.waitForRoom()
      }
    }
  }

  /// A player's game sends its steps all the time, some 100 a second.
  private func step(_ speaker: DemoRecord.Speaker) async {
    while !stopsSteps.withLock({ $0 }) {
      await say("", speaker)
      try? await Task.sleep(for: .milliseconds(10))
    }
  }

  func stopSteps() { stopsSteps.withLock { $0 = true } }

  private static func listen(
    _ player: Client, to speaker: DemoRecord.Speaker, _ record: Monitor<DemoRecord>
  ) async {
    for await event in player.events {
      guard case .message(let message) = event, let text = message.text else { continue }
      let parts = text.split(separator: "|", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, let number = Int(parts[0]) else { continue }
      record.withLock { record in
        record[speaker].receive(number)
        if !parts[1].isEmpty { record[speaker].heard.append(String(parts[1])) }
      }
    }
  }

  /// Waits until the record shows it.
  func wait(for what: String, _ condition: @escaping @Sendable (DemoRecord) -> Bool) async throws(Failure) {
    await withDeadline(.seconds(15)) { [record] in await record.wait(until: condition) }
    guard record.withLock({ condition($0) }) else {
      let reason = record.withLock { $0.lastReason }.map { " (a session ended: \($0))" } ?? ""
      throw Failure(code: "demo", "waited 15 s in vain for \(what)\(reason)")
    }
  }
}
