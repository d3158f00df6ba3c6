internal import ArgumentParser
internal import Roamkey

/// The command for replicated state.
struct StateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "state",
    abstract: "What replicated state costs: beside whole states, and beside zstd with an earlier state as its prefix.",
    discussion: "Exit code 1 when a state did not arrive as it was published.")

  @Option(help: "States of each world that are measured.")
  var ticks = 100

  @Option(help: "Ticks until a receipt is back.")
  var lag = 3

  @Option(help: "Players of the lossy network; 0 leaves it out.")
  var players = 50

  @Option(help: "Seconds of it.")
  var seconds = 10

  @Option(help: "Seed of worlds and network.")
  var seed: UInt64 = 1

  func validate() throws {
    guard (1...100_000).contains(ticks) else { throw ValidationError("--ticks is 1 to 100000") }
    guard (1...16).contains(lag) else { throw ValidationError("--lag is 1 to 16") }
    guard (0...1000).contains(players) else { throw ValidationError("--players is 0 to 1000") }
    guard (1...600).contains(seconds) else { throw ValidationError("--seconds is 1 to 600") }
  }

  func run() async throws {
    print(Console.machine)
    var wrong = 0
    func compare<World: StateWorld>(_ type: World.Type, ticks: Int) throws {
      let comparison = try StateComparison(type, ticks: ticks, lag: lag, seed: seed)
      wrong += comparison.wrong
      print("\n\(comparison.text)")
    }
    try compare(Movers.self, ticks: ticks)
    try compare(Cruisers.self, ticks: ticks)
    try compare(RoundedCruisers.self, ticks: ticks)
    try compare(Board.self, ticks: ticks)
    try compare(Galaxy.self, ticks: ticks)
    // A match takes minutes, and its first ones have little to show.
    try compare(PlanetsSeat.self, ticks: ticks * 20)
    if players > 0 {
      let run = try StateOverNetwork(players: players, seconds: seconds, seed: seed)
      print("\n\(run.text)")
      wrong += run.wrong
    }
    guard wrong > 0 else { return }
    Console.note("FAILED: \(wrong) states did not arrive as they were published")
    throw ExitCode.failure
  }
}
