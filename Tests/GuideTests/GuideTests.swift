import Foundation
import TestSupport
import Testing

/// docs/GUIDE.md prints what is compiled and run here.
@Suite(.realTime, .timeLimit(.minutes(40))) struct GuideTests {
  private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  private func text(_ path: String) throws -> String {
    try String(contentsOf: Self.root.appending(path: path), encoding: .utf8)
  }

  /// All listings in Swift.
  private func listings() throws -> [String] {
    try text("docs/GUIDE.md").components(separatedBy: "```swift\n").dropFirst().map {
      $0.components(separatedBy: "```")[0]
    }
  }

  @Test func everyListingIsCompiled() throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: Self.root.appending(path: "Tests/Guide").path)
    let programs = try names.map { try text("Tests/Guide/\($0)/main.swift") }
    let sources = try ["Game", "Chat", "Author", "Key", "Evidence", "World", "More"].map { name in
      try text("Tests/GuideTests/\(name)Listings.swift")
    }
    // Of the game in Examples, whose tests are a step of their own: without the space before each line.
    let examples = try ["Sources/PlanetsNet/ViewChannel", "Tests/PlanetsTests/NetTests"].map { name in
      let text = try text("Examples/\(name).swift")
      return name.hasPrefix("Tests") ? text.replacing("\n  ", with: "\n") : text
    }
    var seen = Set<String>()
    for listing in try listings() where !listing.hasPrefix("// swift-tools-version") {
      if programs.contains(listing) {
        seen.insert(listing)
        continue
      }
      let code = listing.components(separatedBy: "\n").drop { $0.hasPrefix("import ") || $0.isEmpty }
        .joined(separator: "\n")
      #expect(sources.contains { $0.contains("\n" + code) } || examples.contains { $0.contains(code) }, "\(listing)")
    }
    #expect(seen.count == programs.count, "a program is not printed as it is run")
    #expect(try listings().count > 20)
  }

  @Test func theReadmePrintsTheSame() throws {
    let readme = try text("README.md")
    for name in ["Server", "Client"] {
      let program = try text("Tests/Guide/\(name)/main.swift")
      #expect(readme.contains("```swift\n\(program)```"), "\(name)")
    }
  }

  @Test func aServerAndAClientTakeTenLines() throws {
    for name in ["Server", "Client"] {
      let lines = try text("Tests/Guide/\(name)/main.swift").split(separator: "\n", omittingEmptySubsequences: false)
      #expect(lines.last == "" && lines.count - 1 <= 10, "\(name) has \(lines.count - 1) lines")
    }
  }

  /// The manifest is read by the package manager, which needs no other package for that.
  @Test(.enabled(if: Program.find("swift") != nil, "there is no `swift` on the path"))
  func theManifestIsOne() async throws {
    let listing = try #require(try listings().first { $0.hasPrefix("// swift-tools-version") })
    let directory = try ScratchDirectory()
    try listing.write(toFile: directory.path + "/Package.swift", atomically: true, encoding: .utf8)
    let program = try Program(["swift", "package", "dump-package"], in: directory.path)
    let code = try await program.exitCode()
    #expect(code == 0, "\(program.output)\(program.errors)")
    for word in ["\"server\"", "\"client\"", "\"Roamkey\"", "roamkey"] { #expect(program.output.contains(word)) }
  }

  /// The two programs, as they are printed, in one network of their own where the system allows that: their port is the
  /// one that everybody has.
  @Test func aServerAndAClientTalk() async throws {
    let directory = try ScratchDirectory()
    let stage = try Stage("GuideServer", "GuideClient", in: directory.path)
    defer { stage.end() }
    try await eventually("the client's own words, or \(stage.said)") {
      stage.said.contains("Ada: Hello!\n") ? true : nil
    }
    #expect(stage.said.contains("I am rk1"), "\(stage.said)")
    for key in ["server", "me"] {
      let attributes = try FileManager.default.attributesOfItem(atPath: "\(directory.path)/keys/\(key).pem")
      #expect(attributes[.posixPermissions] as? Int == 0o600)
    }
  }

  /// The chat that is typed into: two lines, and the end of what is typed.
  @Test func aChatIsTyped() async throws {
    let directory = try ScratchDirectory()
    let stage = try Stage("GuideServer", "GuideChat", in: directory.path, typed: "Ben\nhi all\nbye\n")
    defer { stage.end() }
    try await eventually("the end, or \(stage.said)") { stage.said.contains("The end: closed\n") ? true : nil }
    #expect(stage.said.contains("Your name?\n"))
  }

  /// The list of servers nearby has the ten-line server in it, which nobody has given a name.
  @Test func theServerIsFound() async throws {
    let directory = try ScratchDirectory()
    let stage = try Stage("GuideServer", "GuideNearby", in: directory.path)
    defer { stage.end() }
    try await eventually("a line for the server, or \(stage.said)") {
      stage.said.contains("no name 0 of 1024 ") ? true : nil
    }
  }
}
