// swift-tools-version: 6.3
import PackageDescription

/// Every target of ours is built alike: `import` is internal unless a file says `public import`,
/// and a protocol value is always spelled `any`.
let settings: [SwiftSetting] = [
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("ExistentialAny"),
]

let package = Package(
  name: "roamkey",
  products: [
    .library(name: "Roamkey", targets: ["Roamkey"]),
    .library(name: "RoamkeyMetrics", targets: ["RoamkeyMetrics"]),
    .library(name: "RoamkeySimulator", targets: ["RoamkeySimulator"]),
    .library(name: "RoamkeyTerminal", targets: ["RoamkeyTerminal"]),
    .library(name: "RoamkeyState", targets: ["RoamkeyState"]),
    .library(name: "RoamkeyEvidence", targets: ["RoamkeyEvidence"]),
    .executable(name: "roamkey", targets: ["RoamkeyCLI"]),
  ],
  dependencies: [
    // Each one has its reason in docs/decisions/.
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
  ],
  targets: [
    // Arrows point down only: a target names nothing that stands above it.
    .executableTarget(
      name: "RoamkeyCLI",
      dependencies: [
        "Roamkey", "RoamkeyTerminal", "RoamkeySimulator",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: settings),
    // What the command and other programs on a terminal share.
    .target(name: "RoamkeyTerminal", dependencies: ["Roamkey"], swiftSettings: settings),
    .target(
      name: "RoamkeyMetrics", dependencies: ["Roamkey", .product(name: "CoreMetrics", package: "swift-metrics")],
      swiftSettings: settings),
    .target(name: "RoamkeyState", dependencies: ["Roamkey", "RoamkeyCBOR"], swiftSettings: settings),
    .target(
      name: "Roamkey",
      dependencies: [
        "RoamkeyUDP", "RoamkeyEvidence", "RoamkeyEngine", "RoamkeyWire", "RoamkeyCrypto", "RoamkeyCBOR",
        .product(name: "DequeModule", package: "swift-collections"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: settings),
    // Files of what was received: writing and checking them needs no network.
    .target(
      name: "RoamkeyEvidence", dependencies: ["RoamkeyEngine", "RoamkeyWire", "RoamkeyCrypto"], swiftSettings: settings),
    .target(
      name: "RoamkeyUDP",
      dependencies: ["RoamkeyEngine", "RoamkeyWire", "RoamkeySockets"],
      swiftSettings: settings),
    .target(
      name: "RoamkeySimulator",
      dependencies: [
        "Roamkey", "RoamkeyEngine", "RoamkeyWire", "RoamkeyCrypto",
        .product(name: "DequeModule", package: "swift-collections"),
      ],
      swiftSettings: settings),
    .target(
      name: "RoamkeyEngine",
      dependencies: [
        "RoamkeyWire", "RoamkeyCrypto",
        .product(name: "DequeModule", package: "swift-collections"),
        .product(name: "HeapModule", package: "swift-collections"),
      ],
      swiftSettings: settings),
    .target(name: "RoamkeyWire", swiftSettings: settings),
    // What bodies of messages are written in.
    .target(name: "RoamkeyCBOR", swiftSettings: settings),
    .target(name: "RoamkeyCrypto", dependencies: ["RoamkeySodium"], swiftSettings: settings),
    .systemLibrary(name: "RoamkeySockets"),
    .systemLibrary(
      name: "RoamkeySodium", pkgConfig: "libsodium",
      providers: [.apt(["libsodium-dev"]), .brew(["libsodium"])]),

    // Counts and times of the engine (docs/decisions/0022-counts.md). In no product, so that nobody who uses Roamkey
    // builds any of it.
    .executableTarget(
      name: "roamkey-measure",
      dependencies: [
        "AllocationCounter", "MeasurementBudgets", "RoamkeyUDP", "RoamkeyEngine", "RoamkeyWire", "RoamkeyCrypto",
        "RoamkeySodium",
      ],
      path: "Measurements/Tool", swiftSettings: settings),
    .target(name: "MeasurementBudgets", path: "Measurements/Budgets", swiftSettings: settings),
    .target(name: "AllocationCounter", path: "Measurements/AllocationCounter"),

    // What tests of the real world share. It names Testing, so it is in no product.
    .target(name: "TestSupport", path: "Tests/Support", swiftSettings: settings),
    // Tests draw their random numbers from the simulator's seeded generator.
    .testTarget(
      name: "RoamkeyCryptoTests", dependencies: ["RoamkeyCrypto", "RoamkeySimulator"], swiftSettings: settings),
    .testTarget(
      name: "RoamkeyEngineTests",
      dependencies: ["RoamkeyEngine", "RoamkeyWire", "RoamkeyCrypto", "RoamkeySimulator"],
      swiftSettings: settings),
    // The rules of the house, checked on the text of the tree.
    .testTarget(name: "HouseTests", swiftSettings: settings),
    .testTarget(name: "MeasurementTests", dependencies: ["MeasurementBudgets"], swiftSettings: settings),
    .testTarget(
      name: "RoamkeyUDPTests",
      dependencies: ["RoamkeyUDP", "RoamkeyEngine", "RoamkeyWire", "RoamkeyCrypto", "TestSupport"],
      swiftSettings: settings),
    .testTarget(
      name: "RoamkeySimulatorTests", dependencies: ["RoamkeySimulator", "Roamkey", "RoamkeyEngine", "RoamkeyWire"],
      swiftSettings: settings),
    .testTarget(
      name: "RoamkeyStateTests",
      dependencies: [
        "RoamkeyState", "Roamkey", "RoamkeyCBOR", "RoamkeyEngine", "RoamkeySimulator", "RoamkeyWire", "TestSupport",
      ],
      swiftSettings: settings),
    // Stories on the simulated network, one file each.
    .testTarget(
      name: "ScenarioTests", dependencies: ["RoamkeySimulator", "RoamkeyEngine", "RoamkeyWire", "RoamkeyCrypto"],
      swiftSettings: settings),
    .testTarget(
      name: "RoamkeyEvidenceTests",
      dependencies: ["RoamkeyEvidence", "RoamkeyEngine", "RoamkeyWire", "RoamkeyCrypto", "RoamkeySimulator"],
      swiftSettings: settings),
    .testTarget(
      name: "RoamkeyCBORTests", dependencies: ["RoamkeyCBOR", "RoamkeyCrypto", "RoamkeySimulator"],
      swiftSettings: settings),
    .testTarget(
      name: "RoamkeyWireTests", dependencies: ["RoamkeyWire", "RoamkeySimulator"], swiftSettings: settings),
    .testTarget(
      name: "RoamkeyTests", dependencies: ["Roamkey", "RoamkeySimulator", "TestSupport"], swiftSettings: settings),
    .testTarget(
      name: "RoamkeyMetricsTests",
      dependencies: [
        "RoamkeyMetrics", "Roamkey", "TestSupport", .product(name: "MetricsTestKit", package: "swift-metrics"),
      ],
      swiftSettings: settings),
    // What takes bytes from anybody, for fuzzing (docs/decisions/0033-fuzzing.md), and the inputs that were kept. In no
    // product.
    .target(
      name: "FuzzTargets",
      dependencies: [
        "Roamkey", "RoamkeyEvidence", "RoamkeyState", "RoamkeyEngine", "RoamkeyWire", "RoamkeyCrypto", "RoamkeyCBOR",
      ],
      path: "Tests/Fuzz/Targets", swiftSettings: settings),
    .testTarget(
      name: "FuzzTests", dependencies: ["FuzzTargets", "RoamkeyCLI", "RoamkeyTerminal", "Roamkey"], path: "Tests/Fuzz",
      exclude: ["Binary", "Corpora", "Findings", "README.md", "Targets"], sources: ["Replay", "Command"],
      swiftSettings: settings),
    // The programs that docs/GUIDE.md prints, and its other listings: what is printed is what is built and run.
    .executableTarget(
      name: "GuideServer", dependencies: ["Roamkey"], path: "Tests/Guide/Server", swiftSettings: settings),
    .executableTarget(
      name: "GuideClient", dependencies: ["Roamkey"], path: "Tests/Guide/Client", swiftSettings: settings),
    .executableTarget(
      name: "GuideChat", dependencies: ["Roamkey"], path: "Tests/Guide/Chat", swiftSettings: settings),
    .executableTarget(
      name: "GuideNearby", dependencies: ["Roamkey"], path: "Tests/Guide/Nearby", swiftSettings: settings),
    .testTarget(
      name: "GuideTests",
      dependencies: [
        "GuideServer", "GuideClient", "GuideChat", "GuideNearby", "Roamkey", "RoamkeyState", "RoamkeySimulator",
        "TestSupport",
      ],
      swiftSettings: settings),
    // It also runs the built command; naming the target makes sure that it is built.
    .testTarget(
      name: "RoamkeyCLITests", dependencies: ["RoamkeyCLI", "RoamkeyTerminal", "RoamkeySimulator", "TestSupport"],
      swiftSettings: settings),
  ],
  swiftLanguageModes: [.v6]
)

// What libFuzzer calls, as a library, since libFuzzer has a `main` of its own: scripts/fuzz.sh links the two. For the
// same reason the command is a library there, without its `main`.
if Context.environment["ROAMKEY_FUZZ"] != nil {
  let command = package.targets.filter { $0.name == "RoamkeyCLI" }.flatMap(\.dependencies)
  package.products = [.library(name: "FuzzBinary", type: .static, targets: ["FuzzBinary"])]
  package.targets.removeAll { $0.type == .test || $0.type == .executable }
  package.targets += [
    .target(
      name: "RoamkeyCLI", dependencies: command, exclude: ["RoamkeyCommand.swift"],
      swiftSettings: settings + [.unsafeFlags(["-enable-testing"])]),
    .target(
      name: "FuzzBinary", dependencies: ["FuzzTargets", "RoamkeyCLI", "RoamkeyTerminal", "Roamkey"], path: "Tests/Fuzz",
      exclude: ["Corpora", "Findings", "README.md", "Replay", "Targets"], sources: ["Binary", "Command"],
      swiftSettings: settings),
  ]
}
