internal import Glibc
internal import Roamkey
internal import Synchronization

/// A server with players, in quiet and under floods: server, players and flood in a process each, this one beside them.
struct FloodRun: Sendable {
  var players = 50
  /// A second, from each player and to each.
  var messages = 20.0
  /// Datagrams of the flood a second.
  var rate = 50_000
  /// Addresses that it comes from.
  var sources = 10_000
  /// How long each phase is.
  var phase: Duration = .seconds(15)
  var policy: SigningPolicy = .everyPacket
  var seed: UInt64

  /// From the beginning of a phase until it counts, and from its end until its last messages have arrived.
  private static let settling: Duration = .seconds(1)

  func run() async throws(BenchmarkFailure) -> FloodOutcome {
    try await onOwnThread { () throws(BenchmarkFailure) in try measure() }
  }

  private func measure() throws(BenchmarkFailure) -> FloodOutcome {
    let length = phase.inSeconds * Double(FloodPhase.allCases.count) + 60
    let common = ["--messages", "\(messages)", "--capacity", "\(Int(Double(players) * messages * length))"]
    let server = try ChildProcess(
      ["flood-server", "--policy", policy == .everyPacket ? "signed" : "sealed"] + common)
    let words = try ask(server).split(separator: " ").map(String.init)
    guard words.count == 2, let port = UInt16(words[0]) else { throw BenchmarkFailure(words.joined(separator: " ")) }
    let players = try ChildProcess(
      ["flood-players", "--port", "\(port)", "--server", words[1], "--players", "\(players)"] + common)
    guard try ask(players) == "ready" else { throw BenchmarkFailure("the players did not get in") }
    let sender = try ChildProcess([
      "flood-sender", "--port", "\(port)", "--rate", "\(rate)", "--sources", "\(sources)", "--seed", "\(seed)",
    ])
    for child in [server, players] { child.tell("go") }
    // What is made once is made by then: tables, rings, pages of the allocator.
    (Monotonic.now + .seconds(3)).sleep()
    guard let before = residentBytes(of: server.id) else { throw BenchmarkFailure("the server's process has gone") }
    var outcome = FloodOutcome(memoryBefore: before)
    for phase in FloodPhase.allCases {
      outcome.phases.append(try measure(phase, server, players, sender, port, &outcome.memoryPeak))
    }
    try count(server, players, &outcome)
    return outcome
  }

  private func measure(
    _ phase: FloodPhase, _ server: ChildProcess, _ players: ChildProcess, _ sender: ChildProcess, _ port: UInt16,
    _ memoryPeak: inout Int
  ) throws(BenchmarkFailure) -> FloodOutcome.Phase {
    let overruns = SocketOverruns.of(port: port)
    if let kind = phase.kind { sender.tell(kind.rawValue) }
    (Monotonic.now + Self.settling).sleep()
    let start = Monotonic.now
    let work = Self.processorTime(of: server.id)
    while Monotonic.now < start + self.phase {
      (Monotonic.now + .milliseconds(100)).sleep()
      memoryPeak = max(memoryPeak, residentBytes(of: server.id) ?? 0)
    }
    let end = Monotonic.now
    let share = (Self.processorTime(of: server.id) - work) / (end - start).inSeconds
    var flood = 0.0
    if phase.kind != nil {
      sender.tell(FloodSender.stop)
      let numbers = try ask(sender).split(separator: " ").compactMap { Double($0) }
      guard numbers.count == 2 else { throw BenchmarkFailure("the flood's process says nothing") }
      flood = numbers[0] / (numbers[1] / 1e9)
    }
    (Monotonic.now + Self.settling).sleep()
    let report = "report \(start.nanoseconds) \(end.nanoseconds)"
    server.tell(report)
    players.tell(report)
    return FloodOutcome.Phase(
      phase: phase, up: try FloodFigures(line: ask(server)), down: try FloodFigures(line: ask(players)),
      flood: flood, overruns: SocketOverruns.of(port: port) - overruns, processor: share)
  }

  /// Nothing more is sent; all that was has to arrive.
  private func count(
    _ server: ChildProcess, _ players: ChildProcess, _ outcome: inout FloodOutcome
  ) throws(BenchmarkFailure) {
    server.tell("halt")
    players.tell("halt")
    outcome.sentDown = try number(server)
    outcome.sentUp = try number(players)
    server.tell("await \(outcome.sentUp)")
    outcome.arrivedUp = try number(server)
    outcome.broken += try lines(server)
    players.tell("await \(outcome.sentDown)")
    outcome.arrivedDown = try number(players)
    outcome.broken += try lines(players)
    server.tell("end")
    outcome.refused = try number(server)
  }

  private func ask(_ child: ChildProcess) throws(BenchmarkFailure) -> String {
    guard let line = child.nextLine() else { throw BenchmarkFailure("a process of the benchmark has ended") }
    guard !line.hasPrefix("FAILED") else { throw BenchmarkFailure(line) }
    return line
  }

  private func number(_ child: ChildProcess) throws(BenchmarkFailure) -> Int {
    let line = try ask(child)
    guard let number = Int(line) else { throw BenchmarkFailure(line) }
    return number
  }

  private func lines(_ child: ChildProcess) throws(BenchmarkFailure) -> [String] {
    var lines: [String] = []
    while true {
      let line = try ask(child)
      if line.isEmpty { return lines }
      lines.append(line)
    }
  }

  /// What a process has used so far, in seconds (proc(5): fields 14 and 15 of stat, in ticks).
  private static func processorTime(of process: pid_t) -> Double {
    let descriptor = open("/proc/\(process)/stat", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return 0 }
    defer { close(descriptor) }
    // The second field is a name in brackets, which may hold blanks.
    let line = ChildProcess.readLine(from: descriptor) ?? ""
    let fields = line[(line.lastIndex(of: ")") ?? line.startIndex)...].split(separator: " ")
    guard fields.count > 13, let user = Double(fields[12]), let system = Double(fields[13]) else { return 0 }
    return (user + system) / Double(sysconf(CInt(_SC_CLK_TCK)))
  }
}

/// Datagrams that the system has dropped since a socket had no room for them.
enum SocketOverruns {
  /// Of the IPv4 sockets on a port, so far (the last column of /proc/net/udp).
  static func of(port: UInt16) -> Int {
    let descriptor = open("/proc/net/udp", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return 0 }
    defer { close(descriptor) }
    var sum = 0
    let digits = String(port, radix: 16, uppercase: true)
    let suffix = ":" + String(repeating: "0", count: 4 - digits.count) + digits
    while let line = ChildProcess.readLine(from: descriptor) {
      let fields = line.split(separator: " ")
      if fields.count > 2, fields[1].hasSuffix(suffix) { sum += Int(fields[fields.count - 1]) ?? 0 }
    }
    return sum
  }
}
