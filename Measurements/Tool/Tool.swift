import Glibc

/// `roamkey-measure`: what the hot path costs, in counts and in nanoseconds. For people who work on Roamkey; no
/// product of the package.
@main
enum Tool {
  private static let usage = """
    usage: roamkey-measure counts [--quiet] [--renew]   allocations and instructions, against their budgets
           roamkey-measure phases                       the work alone, as `counts` runs it under valgrind
           roamkey-measure growth [--sealed] [N ...]    a server's datagram by the number of its sessions
           roamkey-measure ahead                        a busy thread of a server, alone and with idle ones beside it
           roamkey-measure micro [--runs N] [NAME ...]  nanoseconds of small parts, beside bare calls of libraries
    """

  static func main() {
    let words = CommandLine.arguments.dropFirst()
    let options = Set(words.dropFirst())
    switch words.first {
    case "counts" where options.isSubset(of: ["--quiet", "--renew"]):
      let command = CountsCommand(isQuiet: options.contains("--quiet"), renews: options.contains("--renew"))
      exit(command.run() ? 0 : 1)
    case "phases" where options.isEmpty: exit(PhasesCommand().run() ? 0 : 1)
    case "growth":
      guard let command = GrowthCommand(words.dropFirst()) else { refuse() }
      command.run()
    case "ahead" where options.isEmpty: AheadCommand().run()
    case "micro":
      guard let command = MicroCommand(words.dropFirst()) else { refuse() }
      command.run()
    default: refuse()
    }
  }

  private static func refuse() -> Never {
    Text.complain(usage)
    exit(64)
  }
}
