internal import Roamkey

/// Server and players with real sockets, and a relay that is the network between Ada and the server.
final class LoopbackStage: DemoStage, Sendable {
  static let application = "roamkey-demo/1"

  let server: Server
  let relay: DemoRelay
  private let ada: Client
  private let ben: Client
  private let monitor = Monitor(DemoRecord())
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

  var serverID: PlayerID { server.id }
  var serverAddress: NetworkAddress { server.address }
  var datagramsLost: Int { relay.state.lost }
  var packetsCopied: Int { relay.state.recorded.count }

  func id(of speaker: DemoRecord.Speaker) -> PlayerID { client(speaker).id }

  func place(of speaker: DemoRecord.Speaker) -> NetworkAddress? { server.address(of: id(of: speaker)) }

  var record: DemoRecord { monitor.withLock { $0 } }

  private func client(_ speaker: DemoRecord.Speaker) -> Client {
    switch speaker {
    case .ada: ada
    case .ben: ben
    }
  }

  // MARK: What the players do

  func begin() async throws(Failure) {
    Task { [server, monitor, id = ada.id] in
      for await event in server.events { monitor.withLock { $0.host(event, server, ada: id) } }
    }
    Task { [ada, monitor] in await Self.listen(ada, to: .ben, monitor) }
    Task { [ben, monitor] in await Self.listen(ben, to: .ada, monitor) }
    Task { [self] in await step(.ada) }
    Task { [self] in await step(.ben) }
    try await wait(for: "both players to join") { $0.joins == 2 }
  }

  func say(_ text: String, _ speaker: DemoRecord.Speaker) async {
    let player = client(speaker)
    // Under the lock, so that the numbers go out in their order.
    while case .queueFull = monitor.withLock({ $0.say(text, speaker, player) }) { await player.waitForRoom() }
  }

  /// A player's game sends its steps all the time, some 100 a second.
  private func step(_ speaker: DemoRecord.Speaker) async {
    while !stopsSteps.withLock({ $0 }) {
      await say("", speaker)
      try? await Task.sleep(for: .milliseconds(10))
    }
  }

  private static func listen(_ player: Client, to speaker: DemoRecord.Speaker, _ monitor: Monitor<DemoRecord>) async {
    for await event in player.events { monitor.withLock { $0.hear(event, from: speaker) } }
  }

  func stopSteps() { stopsSteps.withLock { $0 = true } }

  func end() async {
    await ada.close()
    await ben.close()
    await server.close()
  }

  // MARK: What happens to Ada

  func enterCafe() {
    relay.set { relay in
      relay.isRecording = true
      relay.losesOneIn = 12
    }
  }

  func stopCopying() { relay.set { $0.isRecording = false } }

  func move(to place: DemoPlace) throws(Failure) {
    if place == .home { relay.set { $0.losesOneIn = 0 } }
    do throws(RoamkeyError) {
      try ada.rebind(to: NetworkAddress(ipv4: 127, 0, 0, place.rawValue, port: 0))
    } catch {
      throw Failure(error)
    }
  }

  func forgetPort() { relay.set { $0.forgets = true } }

  func cutOff() { relay.set { $0.isDead = true } }

  func endCut() { relay.set { $0.isDead = false } }

  // MARK: Time

  func pass(_ duration: Duration) async { try? await Task.sleep(for: duration) }

  func wait(for what: String, _ condition: @escaping @Sendable (DemoRecord) -> Bool) async throws(Failure) {
    await withDeadline(.seconds(15)) { [monitor] in await monitor.wait(until: condition) }
    guard monitor.withLock({ condition($0) }) else { throw vain(what, after: "15 s") }
  }

  func waitForCopies(_ count: Int) async {
    await withDeadline(.seconds(5)) { [relay] in await relay.waitForRecorded(count) }
  }
}
