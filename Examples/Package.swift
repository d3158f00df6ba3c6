// swift-tools-version: 6.3
import PackageDescription

let roamkey: Target.Dependency = .product(name: "Roamkey", package: "roamkey")
let state: Target.Dependency = .product(name: "RoamkeyState", package: "roamkey")
let simulator: Target.Dependency = .product(name: "RoamkeySimulator", package: "roamkey")
let terminal: Target.Dependency = .product(name: "RoamkeyTerminal", package: "roamkey")

// A package as yours would be: it knows of Roamkey what everybody knows.
let package = Package(
  name: "examples",
  products: [
    .executable(name: "planets", targets: ["PlanetsPlay"]),
    // For the benchmarks, which play matches of it.
    .library(name: "PlanetsRules", targets: ["Planets"]),
  ],
  dependencies: [.package(name: "roamkey", path: "..")],
  targets: [
    .executableTarget(name: "Chat", dependencies: [roamkey]),
    // The rules of the game, and what a player sees of it: they know neither terminals nor sockets.
    .target(name: "Dots", dependencies: [roamkey]),
    .executableTarget(name: "Game", dependencies: ["Dots", roamkey]),
    .executableTarget(name: "Bot", dependencies: ["Dots", roamkey]),
    // The rules of the other game, its bots and what a seat sees: no network, no screen.
    .target(name: "Planets"),
    // Its host and its guests.
    .target(name: "PlanetsNet", dependencies: ["Planets", roamkey, state]),
    .testTarget(name: "PlanetsTests", dependencies: ["Planets", "PlanetsNet", roamkey, simulator]),
    // Its screens, as functions from what is known to characters and colours; and the program.
    .target(name: "PlanetsTerminal", dependencies: ["Planets", "PlanetsNet", roamkey, terminal]),
    .executableTarget(
      name: "PlanetsPlay", dependencies: ["Planets", "PlanetsNet", "PlanetsTerminal", roamkey, terminal]),
    .executableTarget(name: "ScreenPicture", dependencies: ["Planets", "PlanetsTerminal"]),
    .testTarget(
      name: "PlanetsTerminalTests",
      dependencies: ["Planets", "PlanetsNet", "PlanetsTerminal", roamkey, simulator, terminal],
      exclude: ["Pictures"]),
  ],
  swiftLanguageModes: [.v6]
)
