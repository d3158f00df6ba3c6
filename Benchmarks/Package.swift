// swift-tools-version: 6.3
import PackageDescription

// A package of its own, so that nobody who builds Roamkey needs the libraries that it is compared with.

let settings: [SwiftSetting] = [
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("ExistentialAny"),
]

let package = Package(
  name: "roamkey-benchmarks",
  products: [.executable(name: "roamkey-benchmarks", targets: ["RoamkeyBenchmarks"])],
  dependencies: [
    // Named, since the folder of a clone may be called anything.
    .package(name: "roamkey", path: ".."),
    // For its game, whose views are a world of the comparison of states.
    .package(name: "examples", path: "../Examples"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
  ],
  targets: [
    .executableTarget(
      name: "RoamkeyBenchmarks",
      dependencies: [
        "Enet", "Dtls", "Zstd", "BenchmarkSockets",
        .product(name: "Roamkey", package: "roamkey"),
        .product(name: "RoamkeySimulator", package: "roamkey"),
        .product(name: "RoamkeyState", package: "roamkey"),
        .product(name: "PlanetsRules", package: "examples"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "DequeModule", package: "swift-collections"),
      ],
      swiftSettings: settings),
    .systemLibrary(name: "BenchmarkSockets"),
    .systemLibrary(name: "Enet", pkgConfig: "libenet", providers: [.apt(["libenet-dev"]), .brew(["enet"])]),
    .systemLibrary(
      name: "Dtls", pkgConfig: "libssl", providers: [.apt(["libssl-dev"]), .brew(["openssl@3"])]),
    .systemLibrary(name: "Zstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"]), .brew(["zstd"])]),
    .testTarget(name: "RoamkeyBenchmarksTests", dependencies: ["RoamkeyBenchmarks"], swiftSettings: settings),
  ],
  swiftLanguageModes: [.v6]
)
