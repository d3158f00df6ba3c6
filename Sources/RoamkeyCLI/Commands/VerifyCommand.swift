internal import ArgumentParser
internal import Roamkey
internal import RoamkeyTerminal

/// `roamkey verify`
struct VerifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Check files of evidence: who has sent which packets, and what that proves.",
    discussion: """
      The files are those that serve and connect write with --record. Nothing else is needed: no network, no private \
      key. Parts of one session are checked together, whatever their order; which are missing is told.

      Whoever has a key can make a session with another key of their own, and record it: a file proves something of \
      the keys that it names. Say with --player and --server which these should be; their owners' ids, received by \
      another way.

      The exit code is 0 if all files are genuine, 1 if one is not (altered, reordered, cut off, wrongly attributed: \
      the reason is told), 2 if they are genuine as far as can be told but of another player or server.
      """)

  @Argument(help: ArgumentHelp("The files.", valueName: "file"), completion: .file(extensions: ["rkev"]))
  var files: [String]

  @Option(help: ArgumentHelp("Whose session it should be.", valueName: "id"), transform: VerifyCommand.id)
  var player: PlayerID?

  @Option(help: ArgumentHelp("Whose server it should be.", valueName: "id"), transform: VerifyCommand.id)
  var server: PlayerID?

  @Flag(help: "Print the messages that the packets carry, too.")
  var messages = false

  @Flag(help: "Print what was found as JSON, one object a line.")
  var json = false

  func run() async throws {
    try await Failure.report(json: json) { () throws(Failure) in
      let printer = EvidencePrinter(json: json)
      var heading: String?
      let reports = EvidenceReport.check(
        files, player: player, server: server,
        onMessage: messages
          ? { header, message in
            let session = "\(header.session) \(header.recorder)"
            if heading != session { printer.heading(header) }
            heading = session
            printer.message(header, message)
          } : nil)
      for report in reports { try printer.report(report, isPinned: player != nil && server != nil) }
      if let failure = Self.failure(reports) { throw failure }
    }
  }

  /// The worst: no good evidence before evidence of somebody else.
  private static func failure(_ reports: [EvidenceReport]) -> Failure? {
    let refusals = reports.compactMap(\.refusal)
    guard let first = refusals.first(where: { !$0.reason.isOfSomebodyElse }) ?? refusals.first else { return nil }
    let others = refusals.count == 1 ? "" : "; sessions that are refused: \(refusals.count)"
    return Failure(
      first.reason.isOfSomebodyElse ? .refused : .failed, code: first.reason.code,
      Console.plain("\(first.file): \(first.reason)") + others)
  }

  @Sendable private static func id(_ text: String) throws -> PlayerID {
    do { return try PlayerID(text) } catch { throw ValidationError("\(error)") }
  }
}
