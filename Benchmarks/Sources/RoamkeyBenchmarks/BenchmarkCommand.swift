internal import ArgumentParser

/// Measurements of Roamkey beside its peers, on one machine and in one run.
@main
struct BenchmarkCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "roamkey-benchmarks",
    abstract: "Measures Roamkey beside its peers.",
    discussion: "Exit codes: 0 measured, whatever the figures; 1 something was not delivered as promised; 64 usage.",
    subcommands: [
      LossyCommand.self, BulkCommand.self, CutsCommand.self, StalledCommand.self, StalledClient.self,
      CompareCommand.self,
      ScaleCommand.self, StateCommand.self, CompareSide.self, FloodCommand.self, FloodServer.self, FloodPlayers.self,
      FloodSender.self,
    ])
}
