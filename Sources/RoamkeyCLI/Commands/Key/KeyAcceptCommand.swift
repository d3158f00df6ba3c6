internal import ArgumentParser
internal import Roamkey
internal import RoamkeyTerminal

/// `roamkey key accept`
struct KeyAcceptCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "accept", abstract: "Put a new key in the place of an old one that has handed over to it.",
    discussion: """
      Without --list and --deny it is a server's key, among the known servers beside --key: from then on the server \
      must have the new one. With --list a player's id is replaced in a list of `roamkey serve --allow`; with --deny \
      the old one is added to a list of `roamkey serve --deny`. A server that runs reads its lists again by itself.

      What was accepted is remembered in accepted_handovers beside the file. Where the same old key hands over to \
      another one later somebody has stolen it, and nobody can tell who: the first one stays, and the exit code is 2.
      """)

  @Argument(help: ArgumentHelp("A file of `roamkey key rotate`, or several in one.", valueName: "file"))
  var path: String

  @Option(
    help: ArgumentHelp("The known servers beside this key file (default: \(KeyStore.player)).", valueName: "file"),
    completion: .file(extensions: ["pem"]))
  var key: String?

  @Option(
    help: ArgumentHelp("Replace the old id in this list of players who may join.", valueName: "file"),
    completion: .file())
  var list: String?

  @Option(
    help: ArgumentHelp("Add the old id to this list of players who may not join.", valueName: "file"),
    completion: .file())
  var deny: String?

  func validate() throws {
    if key != nil && (list != nil || deny != nil) {
      throw ValidationError("--key is for known servers, --list and --deny are for players: give one kind")
    }
  }

  func run() async throws {
    try await Failure.report { () throws(Failure) in
      let handovers = try KeyHandoverCommand.load(path)
      if list == nil && deny == nil {
        try accept(handovers, in: KnownServers(besideKeyFile: key ?? KeyStore.player))
      } else {
        try acceptPlayers(handovers)
      }
    }
  }

  private func accept(_ handovers: [Handover], in known: KnownServers) throws(Failure) {
    guard TextFile.exists(known.path) else { throw Self.notKnown(known.path) }
    let file = PlayerIDFile(known.path, .knownServers)
    try record(handovers, beside: known.path, there: file)
    for handover in handovers {
      let names = try file.replace(handover.old, by: handover.new)
      for name in names {
        try Console.answer(
          "\(Console.plain(name)) must have the key \(handover.new) from now on: its old one, \(handover.old), "
            + "handed over to it")
      }
    }
  }

  private func acceptPlayers(_ handovers: [Handover]) throws(Failure) {
    let players = list.map { PlayerIDFile($0, .list) }
    // One that the server would refuse is told before anything is changed. A list of the denied may be new.
    if let list { _ = try PlayerList.load(list) }
    if let deny, TextFile.exists(deny) { _ = try PlayerList.load(deny) }
    try record(handovers, beside: list ?? deny ?? "", there: players)
    for handover in handovers {
      if let list, let players, try !players.replace(handover.old, by: handover.new).isEmpty {
        try Console.answer(
          "\(handover.new) is in \(Console.plain(list)) now, in the place of \(handover.old), which handed over to it")
      }
      if let deny, try PlayerIDFile(deny, .list).append(handover.old, comment: "handed over to \(handover.new)") {
        try Console.answer("\(handover.old) is in \(Console.plain(deny)) now: it handed over to \(handover.new)")
      }
    }
  }

  /// Notes them, unless none of the old keys is in the file.
  private func record(_ handovers: [Handover], beside path: String, there file: PlayerIDFile?) throws(Failure) {
    let news = try HandoverRecord(besides: path).accept(handovers) { news throws(Failure) in
      guard let file, !news.isEmpty else { return }
      for handover in handovers where try !file.lines(of: handover.old).isEmpty { return }
      throw Self.notKnown(path)
    }
    if news == 0 { Console.note("this was accepted before") }
  }

  private static func notKnown(_ path: String) -> Failure {
    Failure(code: "notKnown", "none of the keys that hand over is in \(Console.plain(path)), which stays as it was")
  }
}
