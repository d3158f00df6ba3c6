internal import Roamkey
internal import RoamkeyTerminal

/// What happens in the demo, in the order in which it happens.
struct DemoStory: Sendable {
  let narrator: Narrator
  let cast: DemoCast
  private let attacks: DemoAttacks

  init(narrator: Narrator) async throws(Failure) {
    self.narrator = narrator
    cast = try await DemoCast()
    attacks = DemoAttacks(cast: cast)
  }

  /// Tells it, and returns what it claims.
  func tell() async throws(Failure) -> [Claim] {
    try await join()
    try await walk()
    let impostors = await meetImpostors()
    let replay = try await meetReplayer()
    try await sayGoodbye()
    let statistics = await cast.server.statistics()
    let record = cast.record.withLock { $0 }
    await cast.ada.close()
    await cast.ben.close()
    await cast.server.close()
    let summary = DemoSummary(
      record: record, statistics: statistics, impostors: impostors, replay: replay, lostOnTheWay: cast.relay.state.lost)
    await narrator.heading("What came of it")
    summary.print()
    return summary.claims
  }

  // MARK: Scenes

  private func join() async throws(Failure) {
    cast.begin()
    try await cast.wait(for: "both players to join") { $0.joins == 2 }
    await narrator.heading("A server, and two players who join it")
    await narrator.line("server", "listens on \(cast.server.address); its key is \(cast.server.id.short)")
    await narrator.line("", "it lets in two keys and no others: Ada's and Ben's")
    await narrator.line("Ada", "is in a cafe, at \(place(of: cast.ada)); her key is \(cast.ada.id.short)")
    await narrator.line("Ben", "is at home, at \(place(of: cast.ben)); his key is \(cast.ben.id.short)")
    await narrator.remark("Both pinned the server's key. Their games now send 100 messages a second each way.")
  }

  private func walk() async throws(Failure) {
    cast.relay.set { relay in
      relay.isRecording = true
      relay.losesOneIn = 12
    }
    await narrator.heading("They talk, while Ada walks from network to network")
    await narrator.remark("The cafe's Wi-Fi loses one packet in twelve, and somebody there copies all of Ada's.")
    try await ada("Ben, are you awake?")
    try await ben("Now I am. Where are you?")
    try await ada("In the cafe. I'm leaving, keep talking!")
    await withDeadline(.seconds(5)) { [relay = cast.relay] in await relay.waitForRecorded(40) }
    cast.relay.set { $0.isRecording = false }

    await narrator.line("Ada", "takes her phone's network: 127.0.0.3")
    try await move(to: 3)
    try await ben("Still there?")
    try await ada("Of course. I'm me, wherever I am.")

    await narrator.line("router", "forgets Ada and gives her another port; she does not even notice")
    let count = cast.record.withLock { $0.moves.count }
    cast.relay.set { $0.forgets = true }
    try await follow(after: count)
    try await ben("I saw nothing of that.")

    await narrator.line("Ada", "is in a tunnel: no network at all")
    cast.relay.set { $0.isDead = true }
    await cast.say("Can you hear me in the tunnel?", .ada)
    await narrator.line("Ada", "(says into the void) Can you hear me in the tunnel?")
    try? await Task.sleep(for: .milliseconds(700))
    cast.relay.set { $0.isDead = false }
    await narrator.line("Ada", "is on the train: 127.0.0.4")
    try await move(to: 4)
    try await hear("Can you hear me in the tunnel?", from: .ada)
    await narrator.line("Ben", "hears it: Can you hear me in the tunnel?")
    try await ben("Now I do. Every word.")

    await narrator.line("Ada", "is home: 127.0.0.5")
    cast.relay.set { $0.losesOneIn = 0 }
    try await move(to: 5)
    try await ada("Five addresses, and you never lost me.")
  }

  private func meetImpostors() async -> DemoAttacks.Impostors {
    await narrator.heading("Two impostors try their luck")
    async let server = attacks.poseAsServer()
    await narrator.line("Mallory", "says she is Ada, but has a key of her own")
    let stranger = await attacks.poseAsPlayer()
    await narrator.line("server", stranger ? "turns her away: her key is not on the list" : "LETS HER IN")
    await narrator.line("Mallory", "opens a server of her own and lures Ben's sister there")
    let impostors = DemoAttacks.Impostors(playerWasRefused: stranger, serverWasRefused: await server)
    await narrator.line(
      "sister", impostors.serverWasRefused ? "hangs up: its key is not the one that she pinned" : "FALLS FOR IT")
    return impostors
  }

  private func meetReplayer() async throws(Failure) -> DemoAttacks.Replay {
    await narrator.heading("Somebody replays what was copied in the cafe")
    let count = cast.relay.state.recorded.count
    await narrator.line("replayer", "sends \(count) of Ada's own packets again, from 127.0.0.66")
    let replay = try await attacks.replay()
    await narrator.line("server", "dropped \(replay.dropped) of \(replay.sent); it saw each of them before")
    await narrator.remark(
      "Ada is still where she was: \(cast.server.address(of: cast.ada.id)?.description ?? "nowhere").")
    return replay
  }

  private func sayGoodbye() async throws(Failure) {
    try await ben("Good night, Ada.")
    try await ada("Good night, Ben.")
    cast.stopSteps()
    try? await Task.sleep(for: .milliseconds(50))
    try await cast.wait(for: "the last messages") { record in
      record.fromAda.received >= record.fromAda.sent && record.fromBen.received >= record.fromBen.sent
    }
  }

  // MARK: What they do

  private func ada(_ text: String) async throws(Failure) { try await talk("Ada", text, .ada) }

  private func ben(_ text: String) async throws(Failure) { try await talk("Ben", text, .ben) }

  /// Says something, and goes on when the other one has heard it.
  private func talk(_ name: String, _ text: String, _ speaker: DemoRecord.Speaker) async throws(Failure) {
    await cast.say(text, speaker)
    try await hear(text, from: speaker)
    await narrator.line(name, "\"\(text)\"", pause: .milliseconds(600))
  }

  private func hear(_ text: String, from speaker: DemoRecord.Speaker) async throws(Failure) {
    try await cast.wait(for: "the words \"\(text)\"") { $0[speaker].heard.contains(text) }
  }

  private func move(to host: UInt8) async throws(Failure) {
    let count = cast.record.withLock { $0.moves.count }
    do throws(RoamkeyError) {
      try cast.ada.rebind(to: NetworkAddress(ipv4: 127, 0, 0, host, port: 0))
    } catch {
      throw Failure(error)
    }
    try await follow(after: count)
  }

  /// Waits until the server has seen Ada move.
  private func follow(after count: Int) async throws(Failure) {
    try await cast.wait(for: "the server to see Ada move") { $0.moves.count > count }
    guard let move = cast.record.withLock({ $0.moves.last }) else { return }
    await narrator.line("server", "Ada roamed from \(move.from) to \(move.to): same key, same session")
  }

  private func place(of client: Client) -> String { cast.server.address(of: client.id)?.description ?? "nowhere" }
}
