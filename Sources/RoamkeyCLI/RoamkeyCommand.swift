internal import ArgumentParser
internal import Glibc

/// The command line: a stable contract that scripts rely on.
@main
struct RoamkeyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "roamkey",
    abstract: "Secure messages for games: your key roams, you stay you.",
    discussion: """
      Exit codes: 0 done; 1 failed, the reason is on standard error; 2 refused by the peer or by a pin; 64 usage.
      """,
    version: "roamkey \(Version.text)",
    subcommands: [
      KeygenCommand.self, IDCommand.self, KeyCommand.self, ServeCommand.self, ServersCommand.self, ConnectCommand.self,
      DemoCommand.self, BenchCommand.self, RecordCommand.self, VerifyCommand.self,
    ])

  /// ArgumentParser's own `main`, but that a closed standard output (as behind `| head`) is a failed write rather than
  /// the end of the process: sessions are still to be closed properly then.
  static func main() async {
    signal(SIGPIPE, SIG_IGN)
    await main(nil)
  }
}
