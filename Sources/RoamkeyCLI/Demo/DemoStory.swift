internal import Roamkey

/// What happens in the demo, in the order in which it happens.
struct DemoStory {
  let narrator: Narrator
  let stage: any DemoStage

  /// Tells it, and returns what it claims.
  func tell() async throws(Failure) -> [Claim] {
    try await join()
    try await walk()
    let impostors = await meetImpostors()
    let replay = try await meetReplayer()
    try await sayGoodbye()
    let summary = DemoSummary(
      record: stage.record, impostors: impostors, replay: replay, lostOnTheWay: stage.datagramsLost)
    await stage.end()
    await narrator.heading("What came of it")
    summary.print()
    return summary.claims
  }

  // MARK: Scenes

  private func join() async throws(Failure) {
    try await stage.begin()
    await narrator.heading("A server, and two players who join it")
    await narrator.line("server", "listens on \(stage.serverAddress); its key is \(stage.serverID.short)")
    await narrator.line("", "it lets in two keys and no others: Ada's and Ben's")
    await narrator.line("Ada", "is in a cafe, at \(place(of: .ada)); her key is \(stage.id(of: .ada).short)")
    await narrator.line("Ben", "is at home, at \(place(of: .ben)); his key is \(stage.id(of: .ben).short)")
    await narrator.remark("Both pinned the server's key. Their games now send 100 messages a second each way.")
  }

  private func walk() async throws(Failure) {
    stage.enterCafe()
    await narrator.heading("They talk, while Ada walks from network to network")
    await narrator.remark("The cafe's Wi-Fi loses one packet in twelve, and somebody there copies all of Ada's.")
    try await ada("Ben, are you awake?")
    try await ben("Now I am. Where are you?")
    try await ada("In the cafe. I'm leaving, keep talking!")
    await stage.waitForCopies(40)
    stage.stopCopying()

    await narrator.line("Ada", "takes her phone's network")
    try await move(to: .phone)
    try await ben("Still there?")
    try await ada("Of course. I'm me, wherever I am.")

    await narrator.line("router", "forgets Ada and gives her another port; she does not even notice")
    let count = stage.record.moves.count
    stage.forgetPort()
    try await follow(after: count)
    try await ben("I saw nothing of that.")

    await narrator.line("Ada", "is in a tunnel: no network at all")
    stage.cutOff()
    await stage.say("Can you hear me in the tunnel?", .ada)
    await narrator.line("Ada", "(says into the void) Can you hear me in the tunnel?")
    await stage.pass(.milliseconds(700))
    stage.endCut()
    await narrator.line("Ada", "is on the train")
    try await move(to: .train)
    try await hear("Can you hear me in the tunnel?", from: .ada)
    await narrator.line("Ben", "hears it: Can you hear me in the tunnel?")
    try await ben("Now I do. Every word.")

    await narrator.line("Ada", "is home")
    try await move(to: .home)
    try await ada("Five addresses, and you never lost me.")
  }

  private func meetImpostors() async -> DemoSummary.Impostors {
    await narrator.heading("Two impostors try their luck")
    await narrator.line("Mallory", "says she is Ada, but has a key of her own")
    let stranger = await stage.poseAsPlayer()
    await narrator.line("server", stranger ? "turns her away: her key is not on the list" : "LETS HER IN")
    await narrator.line("Mallory", "opens a server of her own and lures Ben's sister there")
    let impostors = DemoSummary.Impostors(playerWasRefused: stranger, serverWasRefused: await stage.poseAsServer())
    await narrator.line(
      "sister", impostors.serverWasRefused ? "hangs up: its key is not the one that she pinned" : "FALLS FOR IT")
    return impostors
  }

  private func meetReplayer() async throws(Failure) -> DemoReplay {
    await narrator.heading("Somebody replays what was copied in the cafe")
    let count = stage.packetsCopied
    await narrator.line("replayer", "sends \(count) of Ada's own packets again, from an address of their own")
    let replay = try await stage.replay()
    await narrator.line(
      "server", "dropped \(replay.dropped) of \(replay.sent): old numbers, of a connection id that Ada has left behind")
    await narrator.remark(
      "Ada is still where she was: \(place(of: .ada)).")
    return replay
  }

  private func sayGoodbye() async throws(Failure) {
    try await ben("Good night, Ada.")
    try await ada("Good night, Ben.")
    stage.stopSteps()
    await stage.pass(.milliseconds(50))
    try await stage.wait(for: "the last messages") { record in
      record.fromAda.received >= record.fromAda.sent && record.fromBen.received >= record.fromBen.sent
    }
  }

  // MARK: What they do

  private func ada(_ text: String) async throws(Failure) { try await talk("Ada", text, .ada) }

  private func ben(_ text: String) async throws(Failure) { try await talk("Ben", text, .ben) }

  /// Says something, and goes on when the other one has heard it.
  private func talk(_ name: String, _ text: String, _ speaker: DemoRecord.Speaker) async throws(Failure) {
    await stage.say(text, speaker)
    try await hear(text, from: speaker)
    await narrator.line(name, "\"\(text)\"", pause: .milliseconds(600))
  }

  private func hear(_ text: String, from speaker: DemoRecord.Speaker) async throws(Failure) {
    try await stage.wait(for: "the words \"\(text)\"") { $0[speaker].heard.contains(text) }
  }

  private func move(to place: DemoPlace) async throws(Failure) {
    let count = stage.record.moves.count
    try stage.move(to: place)
    try await follow(after: count)
  }

  /// Waits until the server has seen Ada move.
  private func follow(after count: Int) async throws(Failure) {
    try await stage.wait(for: "the server to see Ada move") { $0.moves.count > count }
    guard let move = stage.record.moves.last else { return }
    await narrator.line("server", "Ada roamed from \(move.from) to \(move.to): same key, same session")
  }

  private func place(of speaker: DemoRecord.Speaker) -> String {
    stage.place(of: speaker)?.description ?? "nowhere"
  }
}
