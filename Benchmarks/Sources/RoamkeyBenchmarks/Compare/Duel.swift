/// One competitor doing one thing once: a server in one process, its clients in another, or in some where they are very
/// many.
struct Duel: Sendable {
  var competitor: Competitor
  var workload: WorkloadChoice

  /// What both ends have measured. Of several processes of clients it is the first one's figures, and messages of all.
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
      var clients: [ChildProcess] = []
      defer { for client in clients { client.end() } }
      for share in competitor.shares(of: workload.peers) {
        clients.append(
          try start(.client, ["--port", String(words[0]), "--server", String(words[1]), "--peers", String(share)]))
      }
      // Whoever says nothing for too long is ended, and its line is none.
      let isOver = Latch()
      defer { isOver.set() }
      let end = Monotonic.now + workload.limit
      runOnOwnThread { [clients] in
        while !isOver.isSet && Monotonic.now < end { (Monotonic.now + .milliseconds(100)).sleep() }
        if !isOver.isSet { for process in [server] + clients { process.end() } }
      }
      switch workload.measuringRole {
      case .client:
        let measures = try measures(of: clients)
        let others = workload.hasBothSides ? try Measures(line: line(of: server)) : Measures()
        return Outcome(server: others, client: measures)
      case .server:
        let measures = try Measures(line: line(of: server))
        for client in clients { client.tell("end") }
        return Outcome(server: measures, client: try self.measures(of: clients))
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

  private func measures(of clients: [ChildProcess]) throws(BenchmarkFailure) -> Measures {
    var sum: Measures?
    for client in clients {
      let measures = try Measures(line: line(of: client))
      sum = sum?.adding(measures, of: ["sent", "received"]) ?? measures
    }
    return sum ?? Measures()
  }

  private func line(of process: ChildProcess) throws(BenchmarkFailure) -> String {
    guard let line = process.nextLine() else { throw BenchmarkFailure("a process took too long, or has gone") }
    if line.hasPrefix("FAILED ") { throw BenchmarkFailure(String(line.dropFirst("FAILED ".count))) }
    return line
  }
}
