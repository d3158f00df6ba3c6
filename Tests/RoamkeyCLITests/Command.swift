import Foundation
import TestSupport
import Roamkey
import Testing

/// A directory that goes when the test ends.
final class Scratch: Sendable {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("roamkey-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { path + "/" + name }

  func write(_ text: String, to name: String, mode: Int = 0o600) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: file(name)))
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file(name))
  }

  func read(_ name: String) -> String? { try? String(contentsOfFile: file(name), encoding: .utf8) }

  func mode(_ name: String) throws -> Int? {
    try FileManager.default.attributesOfItem(atPath: file(name))[.posixPermissions] as? Int
  }
}

/// The built command as a child process.
final class Command: Sendable {
  /// What was read from a pipe so far.
  private final class Sink: Sendable {
    let data = Locked(Data())
    let end = Locked(false)

    /// Reads to the end, on a thread of its own.
    init(_ handle: FileHandle) {
      let descriptor = dup(handle.fileDescriptor)
      Thread.detachNewThread { [self] in
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
          let count = Glibc.read(descriptor, &chunk, chunk.count)
          if count <= 0 { break }
          data.withLock { $0.append(contentsOf: chunk[..<count]) }
        }
        close(descriptor)
        end.withLock { $0 = true }
      }
    }

    var isDone: Bool { end.withLock { $0 } }
    var text: String { data.withLock { String(decoding: $0, as: UTF8.self) } }
  }

  /// Beside the test bundle.
  static var executable: String {
    URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
      .appendingPathComponent("roamkey").path
  }

  /// One start at a time: a child that is started while another one's pipes are being made would inherit their ends,
  /// and keep them open.
  static let starting = NSLock()

  private let process: Process
  private let input: Pipe
  private let out: Sink
  private let err: Sink

  /// Starts it in `scratch`.
  init(_ arguments: [String], executable: String = Command.executable, in scratch: Scratch) throws {
    (process, input, out, err) = try Self.starting.withLock {
      let (process, input, outPipe, errPipe) = (Process(), Pipe(), Pipe(), Pipe())
      process.executableURL = URL(fileURLWithPath: executable)
      process.arguments = arguments
      process.currentDirectoryURL = URL(fileURLWithPath: scratch.path)
      process.standardInput = input
      process.standardOutput = outPipe
      process.standardError = errPipe
      let (out, err) = (Sink(outPipe.fileHandleForReading), Sink(errPipe.fileHandleForReading))
      try process.run()
      return (process, input, out, err)
    }
  }

  deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

  var output: String { out.text }
  var errors: String { err.text }

  /// The events of `--json` so far.
  var events: [[String: Any]] {
    output.split(separator: "\n").compactMap {
      (try? JSONSerialization.jsonObject(with: Data($0.utf8))) as? [String: Any]
    }
  }

  func events(_ name: String) -> [[String: Any]] { events.filter { $0["event"] as? String == name } }

  func write(_ text: String) throws { try input.fileHandleForWriting.write(contentsOf: Data(text.utf8)) }

  func endInput() throws { try input.fileHandleForWriting.close() }

  func signal(_ number: Int32) { kill(process.processIdentifier, number) }

  /// Waits for the end; what it wrote is complete then.
  func exitCode(within limit: Duration = .seconds(60)) async throws -> Int32 {
    try await eventually("the end of the command", within: limit) {
      !process.isRunning && out.isDone && err.isDone ? true : nil
    }
    return process.terminationStatus
  }

  /// Runs a command that takes no input to its end.
  static func run(_ arguments: String..., in scratch: Scratch) async throws -> (code: Int32, out: String, err: String) {
    let command = try Command(arguments, in: scratch)
    try command.endInput()
    let code = try await command.exitCode()
    return (code, command.output, command.errors)
  }
}

/// A `serve --json` on a free port, and what it needs.
struct Host {
  let command: Command
  let address: String
  let id: String

  init(_ options: [String] = [], listen: String = "127.0.0.1:0", in scratch: Scratch) async throws {
    let command = try Command(["serve", "--json", "--listen", listen] + options, in: scratch)
    let event = try await eventually("the server to listen, or \(command.errors)") { command.events("listening").first }
    self.command = command
    address = try #require(event["address"] as? String)
    id = try #require(event["server"] as? String)
  }

  func stop() async throws -> Int32 {
    command.signal(SIGTERM)
    return try await command.exitCode()
  }
}

/// A key file, and whose it is.
func makeKey(_ name: String, in scratch: Scratch) async throws -> String {
  let made = try await Command.run("keygen", "--out", name, in: scratch)
  try #require(made.code == 0, "\(made.err)")
  return try #require(made.out.split(separator: "\n").first.map(String.init))
}
