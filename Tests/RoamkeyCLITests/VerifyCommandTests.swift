import Foundation
import Testing

/// `roamkey verify`: files that another implementation has made, and nothing else but ids.
struct VerifyCommandTests {
  private struct Vectors: Decodable {
    struct Case: Decodable {
      let name: String
      let parts: [Part]
    }
    struct Part: Decodable { let file: String }
    struct Attack: Decodable {
      let name: String
      let code: String
      let parts: [String]
    }
    let genuine: [Case]
    let refused: [Attack]
  }

  /// The ids of the vectors' keys, and of somebody else's.
  private static let player = "rk132yw8ht5p8cetl2jmvknewjawt9xwzdlrk2pyxlnwjyqrdq0dawqqmdfdw"
  private static let server = "rk1syuhwr4g05t4744r23nvxnr7en9cmz53knhr0gja7c84hr7fkw2qunqytc"
  private static let other = "rk1a4yj333g68pvd6hfqvufqkv4vy54jfe6t33ljd3kc9rpfty8xlgs2xtx4n"

  private static func vectors() throws -> Vectors {
    let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Vectors/evidence.json")
    return try JSONDecoder().decode(Vectors.self, from: Data(contentsOf: url))
  }

  private static func bytes(_ hex: String) -> Data {
    let digits = hex.utf8.map { UInt8($0 > 0x39 ? $0 - 0x57 : $0 - 0x30) }
    return Data(stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] })
  }

  /// Writes the parts of a genuine session into `scratch`, and nothing else: this is the other machine.
  private static func files(_ name: String, in scratch: Scratch) throws -> [String] {
    let session = try #require(try vectors().genuine.first { $0.name == name })
    return try session.parts.enumerated().map { place, part in
      try bytes(part.file).write(to: URL(fileURLWithPath: scratch.file("\(place).rkev")))
      return "\(place).rkev"
    }
  }

  private static func verify(
    _ arguments: [String], in scratch: Scratch
  ) async throws -> (code: Int32, command: Command) {
    let command = try Command(["verify"] + arguments, in: scratch)
    try command.endInput()
    return (try await command.exitCode(), command)
  }

  @Test(arguments: ["role 0", "role 1"])
  func genuineFilesAreAcceptedWithTheIDsOnly(_ name: String) async throws {
    let scratch = try Scratch()
    let files = try Self.files(name, in: scratch)
    let (code, command) = try await Self.verify(
      files.reversed() + ["--player", Self.player, "--server", Self.server], in: scratch)
    #expect(code == 0, "\(command.errors)")
    let lines = command.output.split(separator: "\n").map(String.init)
    #expect(lines.starts(with: files))
    #expect(lines.contains("  GENUINE"))
    #expect(lines.contains("  app       galaxy/1"))
    #expect(lines.contains("  player    \(Self.player)") && lines.contains("  server    \(Self.server)"))
    #expect(lines.contains("  packets   32, numbers 0 to 901"))
    #expect(lines.contains("  left out  18 packets, 2 times, as the recorder says itself"))
    #expect(lines.contains("  end       the session had ended"))
    #expect(!command.output.contains("compare") && !command.output.contains("MISSING"))
    // Without ids it says that anybody may have made it, and a missing part is told.
    let holed = try await Self.verify([files[0], files[2]], in: scratch)
    #expect(holed.code == 0)
    #expect(holed.command.output.contains("MISSING   part 2"))
    #expect(holed.command.output.contains("pass --player and --server"))
  }

  @Test func genuineFilesAsJSON() async throws {
    let scratch = try Scratch()
    let files = try Self.files("role 0", in: scratch)
    let (code, command) = try await Self.verify(files + ["--json", "--messages"], in: scratch)
    #expect(code == 0)
    let report = try #require(command.events("evidence").first)
    #expect(report["genuine"] as? Bool == true)
    #expect(report["files"] as? [String] == files)
    #expect(report["player"] as? String == Self.player && report["server"] as? String == Self.server)
    #expect(report["recordedBy"] as? String == "server")
    #expect(report["packets"] as? Int == 32 && report["leftOut"] as? Int == 18)
    let messages = command.events("message")
    #expect(messages.count == 29)
    #expect(messages.allSatisfy { $0["author"] as? String == Self.player && $0["proof"] as? String == "packet" })
    #expect(messages.contains { $0["text"] as? String == "tree 2, packet 1" })
  }

  @Test func whatIsRefusedIsToldWithItsReason() async throws {
    let scratch = try Scratch()
    for attack in try Self.vectors().refused {
      let files = try attack.parts.enumerated().map { place, part in
        try Self.bytes(part).write(to: URL(fileURLWithPath: scratch.file("\(place).rkev")))
        return "\(place).rkev"
      }
      let plain = try await Self.verify(files, in: scratch)
      #expect(plain.code == 1, "\(attack.name)")
      #expect(plain.command.output.contains("REFUSED") && !plain.command.output.contains("GENUINE"), "\(attack.name)")
      #expect(!plain.command.errors.isEmpty, "\(attack.name)")
      let json = try await Self.verify(files + ["--json"], in: scratch)
      #expect(json.code == 1 && json.command.events("evidence").first?["code"] as? String == attack.code)
    }
  }

  /// One bit of a file that was genuine; what the recorder had signed before it is printed, and no more.
  @Test func anAlteredFileIsRefused() async throws {
    let scratch = try Scratch()
    let files = try Self.files("role 0", in: scratch)
    let url = URL(fileURLWithPath: scratch.file(files[0]))
    var bytes = try Data(contentsOf: url)
    let place = try #require(bytes.range(of: Data("tree 3, packet 2".utf8))).lowerBound
    bytes[place] ^= 1
    try bytes.write(to: url)
    let (code, command) = try await Self.verify(files + ["--messages"], in: scratch)
    #expect(code == 1)
    #expect(command.output.hasPrefix("messages of session "))
    #expect(command.output.contains("tree 2, packet 2") && !command.output.contains("tree 3"))
    #expect(command.output.contains("REFUSED   \(files[0]): altered") && command.errors.contains("altered"))
    #expect(!command.output.contains("\n  GENUINE"))
  }

  @Test func filesOfSomebodyElseAreRefusedAsSuch() async throws {
    let scratch = try Scratch()
    let files = try Self.files("role 0", in: scratch)
    for option in ["--player", "--server"] {
      let (code, command) = try await Self.verify(files + [option, Self.other, "--messages"], in: scratch)
      #expect(code == 2)
      #expect(command.errors.contains(Self.other) && command.output.contains("REFUSED"))
      #expect(!command.output.contains("messages of session"))
    }
    let nonsense = try await Self.verify(files + ["--player", "me"], in: scratch)
    #expect(nonsense.code == 64)
  }

  /// What somebody has sent may be made for the terminal of whoever looks at it.
  @Test func hostileTextStaysText() async throws {
    let scratch = try Scratch()
    let files = try Self.files("hostile", in: scratch)
    for options in [["--messages"], ["--messages", "--json"]] {
      let (code, command) = try await Self.verify(files + options, in: scratch)
      #expect(code == 0)
      let controls = (command.output + command.errors).unicodeScalars.filter {
        ($0.value < 0x20 && $0 != "\n") || $0.value == 0x7f || (0x202a...0x202e).contains($0.value)
      }
      #expect(options.contains("--json") ? controls.allSatisfy { $0.value >= 0x20 } : controls.isEmpty, "\(controls)")
      guard !options.contains("--json") else { continue }
      #expect(command.output.split(separator: "\n").count { $0.hasPrefix("  GENUINE") } == 1)
      #expect(command.output.split(separator: "\n").count { $0.contains("packet ") && $0.contains("chat") } == 3)
    }
  }
}
