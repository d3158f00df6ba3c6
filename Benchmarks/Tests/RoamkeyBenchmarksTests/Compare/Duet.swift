import Roamkey
@testable import RoamkeyBenchmarks

/// A duel with both ends in one process: each end on threads of its own, since they block.
struct Duet: Sendable {
  private let competitor: Competitor
  private let choice: WorkloadChoice

  init(_ competitor: Competitor, _ choice: WorkloadChoice) { (self.competitor, self.choice) = (competitor, choice) }

  func run() async throws -> Duel.Outcome {
    let settings = PartySettings(peers: choice.peers)
    switch competitor {
    case .raw, .gso:
      let inRuns = competitor == .gso
      let server = try RawParty.server(settings, inRuns: inRuns)
      return try await run(server, port: server.port) { settings throws(BenchmarkFailure) in
        try RawParty.clients(settings, inRuns: inRuns)
      }
    case .enet:
      let server = try EnetParty.server(settings)
      return try await run(server, port: server.port) { settings throws(BenchmarkFailure) in
        try EnetParty.clients(settings)
      }
    case .dtls:
      let server = try DtlsParty.server(settings)
      return try await run(server, port: server.port) { settings throws(BenchmarkFailure) in
        try DtlsParty.clients(settings)
      }
    case .sealed, .signed, .sealedPolled, .signedPolled:
      let (policy, loop) = (competitor.policy, competitor.loop)
      let server = try await RoamkeyServerParty(policy, settings, loop)
      return try await run(server, port: server.server.address.port, id: "\(server.server.id)") {
        settings async throws(BenchmarkFailure) in try await RoamkeyClientParty(policy, settings, loop)
      }
    }
  }

  private func run<Server: Party & Sendable, Client: Party & Sendable>(
    _ server: Server, port: UInt16, id: String = "",
    _ makeClient: @escaping @Sendable (PartySettings) async throws(BenchmarkFailure) -> Client
  ) async throws -> Duel.Outcome {
    let settings = PartySettings(peers: choice.peers, port: port, serverID: id)
    let (serverIsDone, isOver) = (Latch(), Latch())
    let workload = choice.workload
    let serving = Task(executorPreference: ThreadExecutor()) {
      // However it ends, nobody waits for the other one any more.
      defer { serverIsDone.set() }
      return try await workload.serve(server) { isOver.isSet }
    }
    // An end that has its figures goes on serving the other one, as its process would.
    let lingering = Task(executorPreference: ThreadExecutor()) {
      _ = await serving.result
      while !isOver.isSet { try await server.receive(until: .now + .milliseconds(5)) { _, _ in } }
    }
    let playing = Task(executorPreference: ThreadExecutor()) {
      defer { isOver.set() }
      let client = try await makeClient(settings)
      return try await workload.play(client, through: nil) { serverIsDone.isSet }
    }
    let client = try await playing.value
    _ = await lingering.result
    return Duel.Outcome(server: try await serving.value, client: client)
  }
}

/// A new thread for each step of a task.
private final class ThreadExecutor: TaskExecutor {
  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    runOnOwnThread { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
  }
}
