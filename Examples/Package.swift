// swift-tools-version: 6.3
import PackageDescription

let roamkey: Target.Dependency = .product(name: "Roamkey", package: "roamkey")
let state: Target.Dependency = .product(name: "RoamkeyState", package: "roamkey")
let simulator: Target.Dependency = .product(name: "RoamkeySimulator", package: "roamkey")

// A package as yours would be: it knows of Roamkey what everybody knows.
let package = Package(
  name: "examples",
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
  ],
  swiftLanguageModes: [.v6]
)
