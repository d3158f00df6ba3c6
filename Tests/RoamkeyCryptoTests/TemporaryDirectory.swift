import Foundation
import Testing

/// A directory that is gone after the test.
final class TemporaryDirectory {
  let path: String

  init() throws {
    var template = Array((NSTemporaryDirectory() + "/roamkey-test-XXXXXX").utf8CString)
    let made = template.withUnsafeMutableBufferPointer { mkdtemp($0.baseAddress!) }
    path = String(cString: try #require(made))
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { path + "/" + name }

  /// Writes a file with exactly this mode.
  @discardableResult func write(_ name: String, _ bytes: [UInt8], mode: mode_t = 0o600) throws -> String {
    try Data(bytes).write(to: URL(fileURLWithPath: file(name)))
    try #require(chmod(file(name), mode) == 0)
    return file(name)
  }

  @discardableResult func write(_ name: String, _ text: String, mode: mode_t = 0o600) throws -> String {
    try write(name, Array(text.utf8), mode: mode)
  }

  func read(_ name: String) throws -> String { try String(contentsOfFile: file(name), encoding: .utf8) }

  func mode(_ name: String) throws -> mode_t {
    var status = stat()
    try #require(stat(file(name), &status) == 0)
    return status.st_mode & 0o7777
  }

  /// All names inside, hidden ones too.
  func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
}

/// What the command wrote on standard output; fails where it fails.
@discardableResult func openssl(_ arguments: String...) throws -> String {
  try openssl(arguments: arguments)
}

@discardableResult func openssl(arguments: [String]) throws -> String {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  process.arguments = ["openssl"] + arguments
  let output = Pipe()
  process.standardOutput = output
  process.standardError = FileHandle.nullDevice
  try process.run()
  let data = output.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  try #require(process.terminationStatus == 0, "openssl \(arguments.joined(separator: " "))")
  return String(decoding: data, as: UTF8.self)
}
