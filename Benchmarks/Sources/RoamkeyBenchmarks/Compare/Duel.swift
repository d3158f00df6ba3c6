/// One competitor doing one thing once: a server and its clients, in a process each.
struct Duel: Sendable {
  var competitor: Competitor
  var workload: WorkloadChoice

  /// What both processes have measured.
  struct Outcome: Sendable {
    var server: Measures
    var client: Measures
  }

  func run() async throws(BenchmarkFailure) -> Outcome {
    try await onOwnThread { () throws(BenchmarkFailure) in
      let server = try start(.server, [])
      defer { server.end() }
      let words = try line(of: server).split(separator: " ")
      guard words.count == 2 else { throw BenchmarkFailure("the server says no port") }
      let client = try start(.client, ["--port", String(words[0]), "--server", String(words[1])])
      defer { client.end() }
      // Whoever says nothing for too long is ended, and its line is none.
      let isOver = Latch()
      defer { isOver.set() }
      let end = Monotonic.now + workload.limit
      runOnOwnThread {
        while !isOver.isSet && Monotonic.now < end { (Monotonic.now + .milliseconds(100)).sleep() }
        if !isOver.isSet { for process in [server, client] { process.end() } }
      }
      switch workload.measuringRole {
      case .client:
        let measures = try Measures(line: line(of: client))
        let others = workload.hasBothSides ? try Measures(line: line(of: server)) : Measures()
        return Outcome(server: others, client: measures)
      case .server:
        let measures = try Measures(line: line(of: server))
        client.tell("end")
        return Outcome(server: measures, client: try Measures(line: line(of: client)))
      }
    }
  }

  private func start(_ role: Role, _ more: [String]) throws(BenchmarkFailure) -> ChildProcess {
    try ChildProcess(
      [
        CompareSide.configuration.commandName ?? "", "--role", role.rawValue, "--competitor", competitor.rawValue,
        "--workload", workload.word,
      ] + more)
  }

  private func line(of process: ChildProcess) throws(BenchmarkFailure) -> String {
    guard let line = process.nextLine() else { throw BenchmarkFailure("a process took too long, or has gone") }
    if line.hasPrefix("FAILED ") { throw BenchmarkFailure(String(line.dropFirst("FAILED ".count))) }
    return line
  }
}
