internal import Roamkey
internal import RoamkeySimulator

/// Server and players on a simulated network, in virtual time: all of it follows from a seed.
final class SimulatedStage: DemoStage {
  /// How long, in virtual time, the story waits for anything.
  private static let patience = Duration.seconds(60)
  /// How often a game looks at what has arrived, and sends a step.
  private static let frame = Duration.milliseconds(10)

  private let simulation: Simulation
  private let network: NetworkConditions
  private let ada: SimulatedClient
  private let ben: SimulatedClient
  private let phone: SimulatedRouter
  private let tap: Wiretap
  private(set) var record = DemoRecord()
  private var sendsSteps = false

  /// - Parameter network: of everybody's line, each way.
  init(seed: UInt64, network: NetworkConditions) {
    simulation = Simulation(seed: seed, application: LoopbackStage.application)
    self.network = network
    ada = simulation.addClient(network: network)
    ben = simulation.addClient(network: network)
    phone = simulation.addRouter()
    tap = simulation.addWiretap(to: ada)
    tap.isRecording = false
    simulation.server.updateAccess(allow: [ada.id, ben.id])
  }

  var serverID: PlayerID { simulation.server.id }
  var serverAddress: NetworkAddress { simulation.server.address }
  var datagramsLost: Int {
    let (up, down) = (ada.upstream, ada.downstream)
    return simulation.datagramsCut + up.lost + up.overflowed + down.lost + down.overflowed
  }
  var packetsCopied: Int { tap.packets.count }
  /// How much virtual time has passed.
  var elapsed: Duration { simulation.now }
  /// What Roamkey has done that it must never do.
  var violations: [String] { simulation.violations }

  func id(of speaker: DemoRecord.Speaker) -> PlayerID { client(speaker).id }

  func place(of speaker: DemoRecord.Speaker) -> NetworkAddress? { simulation.server.address(of: id(of: speaker)) }

  private func client(_ speaker: DemoRecord.Speaker) -> SimulatedClient {
    switch speaker {
    case .ada: ada
    case .ben: ben
    }
  }

  // MARK: What the players do

  func begin() async throws(Failure) {
    simulation.every(Self.frame) { [weak self] _ in self?.frame() }
    try await wait(for: "both players to join") { $0.joins == 2 }
    // The server knows of it first.
    simulation.run(until: { ada.isConnected && ben.isConnected }, within: Self.patience)
    sendsSteps = true
  }

  /// One frame of the server's game and of both players'.
  private func frame() {
    let server = simulation.server
    for event in server.takeEvents() { record.host(event, server, ada: ada.id) }
    for event in ada.takeEvents() { record.hear(event, from: .ben) }
    for event in ben.takeEvents() { record.hear(event, from: .ada) }
    guard sendsSteps else { return }
    // What finds no room is not said: there are a hundred steps a second.
    _ = record.say("", .ada, ada)
    _ = record.say("", .ben, ben)
  }

  func say(_ text: String, _ speaker: DemoRecord.Speaker) async {
    while case .queueFull = record.say(text, speaker, client(speaker)) { simulation.run(for: Self.frame) }
  }

  func stopSteps() { sendsSteps = false }

  func end() async {
    ada.close()
    ben.close()
    simulation.run(for: .seconds(2))
  }

  // MARK: What happens to Ada

  func enterCafe() {
    var cafe = network
    cafe.loss = max(cafe.loss, 1.0 / 12)
    simulation.setNetwork(cafe, of: ada)
    tap.isRecording = true
  }

  func stopCopying() { tap.isRecording = false }

  func move(to place: DemoPlace) throws(Failure) {
    switch place {
    case .phone: simulation.move(ada, behind: phone)
    case .train: simulation.move(ada)
    case .home:
      simulation.setNetwork(network, of: ada)
      simulation.move(ada)
    }
  }

  func forgetPort() { phone.restart() }

  func cutOff() { simulation.cut([ada]) }

  func endCut() { simulation.heal() }

  // MARK: What others try

  func poseAsPlayer() async -> Bool {
    let mallory = simulation.addClient(network: network)
    return outcome(of: mallory) == .failed(.refused(.notAllowed))
  }

  func poseAsServer() async -> Bool {
    // There is one server in a simulation: to somebody who expects another key it is the impostor.
    let sister = simulation.addClient(network: network, pinned: ben.id)
    return outcome(of: sister) == .failed(.wrongServer(expected: ben.id, found: serverID))
  }

  private func outcome(of client: SimulatedClient) -> SimulatedClient.State {
    simulation.run(until: { client.state != .connecting }, within: Self.patience)
    return client.state
  }

  func replay() async throws(Failure) -> DemoReplay {
    // While nothing else is on its way twice, or damaged: what is dropped then is what was replayed.
    simulation.setNetwork(.perfect, of: ada)
    simulation.setNetwork(.perfect, of: ben)
    simulation.run(for: .seconds(3))
    let (placeBefore, movesBefore) = (place(of: .ada), record.moves.count)
    let before = simulation.server.datagramsDropped
    tap.replay()
    simulation.run(for: .seconds(1))
    let dropped = Int(simulation.server.datagramsDropped - before)
    simulation.setNetwork(network, of: ada)
    simulation.setNetwork(network, of: ben)
    return DemoReplay(
      sent: tap.packets.count, dropped: dropped,
      changedNothing: place(of: .ada) == placeBefore && record.moves.count == movesBefore)
  }

  // MARK: Time

  func pass(_ duration: Duration) async { simulation.run(for: duration) }

  func wait(for what: String, _ condition: @escaping @Sendable (DemoRecord) -> Bool) async throws(Failure) {
    guard simulation.run(until: { condition(record) }, within: Self.patience) else {
      throw vain(what, after: "60 s of virtual time")
    }
  }

  func waitForCopies(_ count: Int) async {
    simulation.run(until: { tap.packets.count >= count }, within: Self.patience)
  }
}
