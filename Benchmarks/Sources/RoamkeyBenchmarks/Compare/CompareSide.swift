internal import ArgumentParser
internal import BenchmarkSockets
internal import Glibc
internal import Roamkey

/// One process of a comparison: the server, or clients.
struct CompareSide: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare-side", abstract: "One process of `compare`, which starts it.", shouldDisplay: false)

  @Option var role: Role
  @Option var competitor: Competitor
  @Option var workload: WorkloadChoice
  @Option var port: UInt16 = 0
  @Option var server = ""
  /// How many of the clients are this process's; all, where it is not said.
  @Option var peers: Int?

  func run() async throws {
    bench_end_with_parent()
    Self.allowManyDescriptors()
    let (role, competitor, workload) = (role, competitor, workload)
    let settings = PartySettings(
      peers: peers ?? workload.peers, rests: workload.rests, port: port, serverID: server)
    // Off the main thread's executor, which a wait would leave and come back to.
    let result = await Task.detached {
      await Result.of { () throws(BenchmarkFailure) in
        switch role {
        case .server: try await Self.serve(competitor, workload, settings)
        case .client: try await Self.play(competitor, workload, settings)
        }
      }
    }.value
    if case .failure(let failure) = result { Self.say("FAILED \(failure)") }
    // There is nobody to say goodbye to: the other process ends as well.
    _exit(0)
  }

  // MARK: The server

  private static func serve(
    _ competitor: Competitor, _ choice: WorkloadChoice, _ settings: PartySettings
  ) async throws(BenchmarkFailure) {
    let memory = Double(Memory.anonymousBytes)
    switch competitor {
    case .raw, .gso:
      let party = try RawParty.server(settings, inRuns: competitor == .gso)
      try await serve(party, port: party.port, id: "-", choice, memory)
    case .enet:
      let party = try EnetParty.server(settings)
      try await serve(party, port: party.port, id: "-", choice, memory)
    case .dtls:
      let party = try DtlsParty.server(settings)
      try await serve(party, port: party.port, id: "-", choice, memory)
    case .sealed, .signed, .sealedPolled, .signedPolled:
      let party = try await RoamkeyServerParty(competitor.policy, settings, competitor.loop)
      try await serve(party, port: party.server.address.port, id: "\(party.server.id)", choice, memory)
    }
  }

  private static func serve(
    _ party: some Party, port: UInt16, id: String, _ choice: WorkloadChoice, _ memory: Double
  ) async throws(BenchmarkFailure) {
    say("\(port) \(id)")
    var measures = try await choice.workload.serve(party) { isOver() }
    measures["memoryStart"] = memory
    say(measures.line)
    while !isOver() { try await party.receive(until: .now + .milliseconds(5)) { _, _ in } }
  }

  // MARK: The clients

  private static func play(
    _ competitor: Competitor, _ choice: WorkloadChoice, _ settings: PartySettings
  ) async throws(BenchmarkFailure) {
    var settings = settings
    let network = try choice.conditions.map { conditions throws(BenchmarkFailure) in
      try Relay(to: settings.port, conditions: conditions, seed: 1, spin: LossyScenario.spin)
    }
    if let network { settings.port = network.port }
    let start = Monotonic.now
    switch competitor {
    case .raw, .gso:
      try await play(RawParty.clients(settings, inRuns: competitor == .gso), network, since: start, choice)
    case .dtls: try await play(DtlsParty.clients(settings), network, since: start, choice)
    case .enet: try await play(EnetParty.clients(settings), network, since: start, choice)
    case .sealed, .signed, .sealedPolled, .signedPolled:
      let party = try await RoamkeyClientParty(competitor.policy, settings, competitor.loop)
      try await play(party, network, since: start, choice)
    }
  }

  private static func play(
    _ party: some Party, _ network: Relay?, since start: Monotonic, _ choice: WorkloadChoice
  ) async throws(BenchmarkFailure) {
    let connecting = (Monotonic.now - start).inMilliseconds
    var measures = try await choice.workload.play(party, through: network) { isOver() }
    measures["connecting"] = connecting
    say(measures.line)
    while !isOver() { try await party.receive(until: .now + .milliseconds(5)) { _, _ in } }
  }

  // MARK: The parent

  /// The parent has said something, which is always the end, or has gone.
  private static func isOver() -> Bool {
    var input = [pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)]
    return poll(&input, 1, 0) != 0
  }

  private static func say(_ line: String) {
    print(line)
    fflush(nil)
  }

  /// Each client has some.
  private static func allowManyDescriptors() {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    limit.rlim_cur = limit.rlim_max
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  }
}

extension Role: ExpressibleByArgument {}
extension Competitor: ExpressibleByArgument {}
extension WorkloadChoice: ExpressibleByArgument {
  init?(argument: String) { self.init(word: argument) }
}
