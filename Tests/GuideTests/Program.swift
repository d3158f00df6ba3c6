import Foundation
import TestSupport
import Testing

/// A directory that is gone after the test.
final class ScratchDirectory {
  let path = FileManager.default.temporaryDirectory.appendingPathComponent("roamkey-\(UUID().uuidString)").path

  init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// A child process whose words go to files, so that nobody has to read along.
final class Program {
  private let process = Process()
  private let files: [String]

  init(_ command: [String], in directory: String, input: FileHandle = .nullDevice) throws {
    files = ["out", "err"].map { "\(directory)/\($0).txt" }
    let handles = try files.map { path in
      _ = FileManager.default.createFile(atPath: path, contents: nil)
      return try #require(FileHandle(forWritingAtPath: path))
    }
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = command
    process.currentDirectoryURL = URL(fileURLWithPath: directory)
    process.standardInput = input
    process.standardOutput = handles[0]
    process.standardError = handles[1]
    try process.run()
  }

  deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

  var output: String { Self.read(files[0]) }
  var errors: String { Self.read(files[1]) }

  private static func read(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }

  /// Waits for the end.
  func exitCode() async throws -> Int32 {
    try await eventually("the end of the program") { process.isRunning ? nil : true }
    return process.terminationStatus
  }

  /// Asks it to end, and waits until it has.
  func end() {
    process.terminate()
    process.waitUntilExit()
  }

  /// Where a command is; nil where there is none.
  static func find(_ name: String) -> String? {
    (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/\(name)" }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }
}

/// A server and a client of the guide, in a network of their own where the system has namespaces for everybody.
final class Stage {
  private let program: Program
  private let directory: String

  /// Its words leave line by line, as on a terminal (`stdbuf`); SIGTERM ends both.
  private static let script = """
    trap 'kill $server $client 2>/dev/null' TERM
    [ "$3" = alone ] && ip link set lo up
    stdbuf -oL "$1" >server.txt 2>&1 & server=$!
    stdbuf -oL "$2" <typed.txt >client.txt 2>&1 & client=$!
    wait $server $client
    """

  init(_ server: String, _ client: String, in directory: String, typed: String = "") throws {
    self.directory = directory
    try typed.write(toFile: directory + "/typed.txt", atomically: true, encoding: .utf8)
    let products = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    let paths = [server, client].map { products.appendingPathComponent($0).path }
    let isAlone = Self.hasNamespaces
    let command = ["sh", "-c", Self.script, "sh"] + paths + [isAlone ? "alone" : "shared"]
    program = try Program((isAlone ? ["unshare", "--user", "--map-root-user", "--net"] : []) + command, in: directory)
  }

  private static let hasNamespaces: Bool = {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["unshare", "--user", "--map-root-user", "--net", "ip", "link", "set", "lo", "up"]
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
  }()

  /// What both have said so far.
  var said: String {
    ["server", "client"].map { (try? String(contentsOfFile: "\(directory)/\($0).txt", encoding: .utf8)) ?? "" }.joined()
      + program.errors
  }

  func end() { program.end() }
}
