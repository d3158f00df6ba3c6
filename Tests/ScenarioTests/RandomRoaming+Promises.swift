import RoamkeyCrypto
import RoamkeyEngine
import RoamkeySimulator
import RoamkeyWire
import Testing

/// What holds for everybody who roams, whatever happened.
extension RandomRoaming {
  func check() {
    for player in players {
      let problems = upwardProblems(player) + downwardProblems(player) + sessionProblems(player)
      #expect(problems == [], "seed \(seed), player \(player.index); \(log)")
    }
    #expect(world.violations == [], "seed \(seed); \(log)")
  }

  /// The server's processes, oldest first.
  private var processes: [SimulatedProcess] { world.serverHost.formerProcesses + [world.serverHost.process] }

  private func isRun(_ numbers: [Int]) -> Bool {
    zip(numbers, numbers.dropFirst()).allSatisfy { $0 + 1 == $1 }
  }

  /// Numbers in a few words.
  private func brief(_ numbers: [Int]) -> String {
    var runs: [ClosedRange<Int>] = []
    for number in numbers {
      if let last = runs.last, last.upperBound + 1 == number {
        runs[runs.count - 1] = last.lowerBound...number
      } else {
        runs.append(number...number)
      }
    }
    return runs.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }.joined(separator: " ")
  }

  // MARK: To the server

  /// Each session got messages in order and without a hole; what no process got was handed back to the app, and the
  /// newest session got all that was said last.
  private func upwardProblems(_ player: SimulatedPlayer) -> [String] {
    var problems: [String] = []
    var got: [Int] = []
    for (index, process) in processes.enumerated() {
      for session in process.sessions(of: player.id) {
        let numbers = (process.inbox[session] ?? []).map(RoamingTalk.number)
        if !isRun(numbers) { problems.append("session \(session) of process \(index) got \(brief(numbers))") }
        got += numbers
      }
    }
    let back = player.host.undelivered.map(RoamingTalk.number)
    let count = said[player.index]
    let missing = Set(0..<count).subtracting(got).subtracting(back).sorted()
    if !missing.isEmpty { problems.append("nobody got or was handed back \(brief(missing)) of \(count)") }
    let doubled = Dictionary(grouping: got, by: { $0 }).filter { $0.value.count > 1 }.keys.sorted()
    if !doubled.isEmpty { problems.append("two sessions got \(brief(doubled))") }
    if back != back.sorted() || Set(back).count != back.count { problems.append("handed back \(brief(back))") }
    if player.host.undeliverable > 0 { problems.append("\(player.host.undeliverable) could not be sent") }
    let last = world.session(of: player).flatMap { world.serverHost.inbox[$0]?.last }.map(RoamingTalk.number)
    if count > 0, last != count - 1 { problems.append("the last message is \(last ?? -1) of \(count)") }
    return problems
  }

  // MARK: To the player

  /// Each session got what one session of the server's sent, from the first message on, in order and without a hole;
  /// the newest all of it.
  private func downwardProblems(_ player: SimulatedPlayer) -> [String] {
    var problems: [String] = []
    var keys: [SessionKey] = []
    let sessions = player.host.inbox.keys.sorted { $0.rawValue < $1.rawValue }
    for session in sessions {
      let answers = (player.host.inbox[session] ?? []).map(RoamingTalk.answer)
      guard let first = answers.first else { continue }
      keys.append(first.key)
      if answers.contains(where: { $0.key != first.key }) { problems.append("\(session) got messages of another") }
      if first.number != 0 || !isRun(answers.map(\.number)) {
        problems.append("\(session) got \(brief(answers.map(\.number)))")
      }
    }
    if Set(keys).count != keys.count { problems.append("two sessions got messages of one: \(keys)") }
    guard let session = world.session(of: player) else { return problems + ["no session in the end"] }
    let newest = SessionKey(process: world.serverHost.formerProcesses.count, session: session)
    let sent = answers[player.index][newest] ?? 0
    if player.inbox.count != sent { problems.append("\(player.inbox.count) of \(sent) in the newest session") }
    return problems
  }

  // MARK: Sessions

  /// Only a server that begins anew ends sessions, and it knows each player once.
  private func sessionProblems(_ player: SimulatedPlayer) -> [String] {
    var problems: [String] = []
    let host = player.host
    for (index, process) in processes.enumerated() {
      let joined = process.sessions(of: player.id).count
      let ended = process.events.count { if case .left = $0 { true } else { false } }
      if joined > 1 || ended > 0 { problems.append("process \(index): joined \(joined) times, \(ended) ended") }
    }
    if world.serverHost.process.sessions(of: player.id).count != 1 { problems.append("not in, in the end") }
    let restarts = world.serverHost.formerProcesses.count
    if host.resets.count > restarts { problems.append("\(host.resets.count) resets by \(restarts) restarts") }
    if host.joinedCount != host.resets.count + 1 {
      problems.append("joined \(host.joinedCount) times with \(host.resets.count) resets")
    }
    if !host.ends.isEmpty || !host.connectErrors.isEmpty { problems.append("\(host.ends) \(host.connectErrors)") }
    // Where the server sees the player now is where it is.
    if let last = world.serverHost.lastMove(of: world.session(of: player)) {
      let places = host.interfaces.flatMap { interface in AddressFamily.allCases.compactMap(interface.outside) }
      if !places.contains(where: { $0.ip == last.ip }) { problems.append("said to be at \(last), not in \(places)") }
    }
    let datagrams = host.traffic.datagramsSent
    let limit = Int(world.elapsed / .seconds(1)) * 150 + 1000
    if datagrams > limit { problems.append("\(datagrams) datagrams in \(world.elapsed)") }
    return problems
  }
}

extension SimulatedProcess {
  /// The sessions of a player, oldest first.
  func sessions(of player: PlayerID) -> [SessionHandle] {
    events.compactMap { if case .joined(let session, player, _) = $0 { session } else { nil } }
  }
}
