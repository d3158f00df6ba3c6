import Foundation
import RoamkeyCrypto
import Testing

/// A server's instance id and its file (PROTOCOL §6).
@Suite struct InstanceIDTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private func problem(_ path: String) -> InstanceFileError? {
    do throws(InstanceFileError) {
      _ = try InstanceID(file: path)
      return nil
    } catch {
      return error
    }
  }

  @Test func itIsMadeAndKept() throws {
    let path = directory.file("keys/server.instance")
    let first = try InstanceID(file: path).value
    #expect(try directory.mode("keys/server.instance") == 0o600 && directory.mode("keys") == 0o700)
    #expect(first.bytes == Array(try Data(contentsOf: URL(fileURLWithPath: path))))
    #expect(try InstanceID(file: path).value == first)
    #expect(try InstanceID(file: directory.file("other.instance")).value != first)
    #expect(try directory.names() == ["keys", "other.instance"], "nothing is left over")
  }

  /// Within one process as well: a descriptor has the lock, not the process.
  @Test func oneAtATime() throws {
    let path = directory.file("a.instance")
    do {
      let first = try InstanceID(file: path)
      #expect(problem(path) == .inUse(path: path))
      #expect(problem(path) == .inUse(path: path), "who failed has not taken the lock away")
      withExtendedLifetime(first) {}
    }
    #expect(problem(path) == nil)
  }

  @Test(arguments: [0, 31, 33, 4096]) func anotherSizeIsNotUsed(size: Int) throws {
    let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 + 1) }
    let path = try directory.write("a.instance", bytes)
    #expect(problem(path) == .damaged(path: path))
    #expect(Array(try Data(contentsOf: URL(fileURLWithPath: path))) == bytes, "it is left as it was")
  }

  @Test func zerosAreNotRandom() throws {
    let path = try directory.write("a.instance", [UInt8](repeating: 0, count: 32))
    #expect(problem(path) == .damaged(path: path))
    #expect(problem(try directory.write("b.instance", [UInt8](repeating: 0, count: 31) + [1])) == nil)
  }

  @Test func whatIsNoFileIsNotUsed() throws {
    let path = directory.file("a.instance")
    try #require(mkfifo(path, 0o600) == 0)
    #expect(problem(path) == .damaged(path: path), "and nobody waits for a writer")
    #expect(problem(directory.path) == .damaged(path: directory.path))
  }

  /// Links are followed, as those of key files are.
  @Test func aLinkIsFollowed() throws {
    let first = try InstanceID(file: directory.file("a.instance")).value
    try FileManager.default.createSymbolicLink(
      atPath: directory.file("b.instance"), withDestinationPath: directory.file("a.instance"))
    #expect(try InstanceID(file: directory.file("b.instance")).value == first)
    try FileManager.default.createSymbolicLink(
      atPath: directory.file("c.instance"), withDestinationPath: directory.file("nowhere"))
    #expect(problem(directory.file("c.instance")) != nil)
  }

  @Test(arguments: ["/proc/a.instance", "/dev/null/a.instance", "", "a\u{0}b"])
  func aPlaceThatTakesNoFiles(path: String) {
    guard case .unusable(path, let reason)? = problem(path) else {
      Issue.record("\(path) was used")
      return
    }
    #expect(!reason.isEmpty)
  }

  @Test func aDirectoryThatCannotBeWritten() throws {
    // Nobody keeps the superuser out.
    guard geteuid() != 0 else { return }
    try #require(chmod(directory.path, 0o500) == 0)
    defer { chmod(directory.path, 0o700) }
    #expect(problem(directory.file("a.instance")) != nil)
  }

  @Test func sentencesNameTheFileAndTheWayOut() {
    let errors: [InstanceFileError] = [
      .inUse(path: "a\u{1b}[2J"), .damaged(path: "a\u{1b}[2J"), .unusable(path: "a\u{1b}[2J", reason: "no room"),
    ]
    for error in errors {
      #expect(error.description.contains("a?[2J") && error.description.contains(": "))
      #expect(!error.description.unicodeScalars.contains("\u{1b}"))
    }
  }

  @Test func itStandsBesideTheKey() throws {
    #expect(InstanceID.path(besideKeyFile: "keys/server.pem") == "keys/server.instance")
    #expect(InstanceID.path(besideKeyFile: "keys/server") == "keys/server.instance")
    #expect(InstanceID.path(besideKeyFile: ".pem/key") == ".pem/key.instance")
    // A key knows its file when it was loaded from there, and only then.
    let key = PlayerKey.generate()
    #expect(key.file == nil)
    try key.save(to: directory.file("k.pem"))
    #expect(try PlayerKey.load(directory.file("k.pem")).file == directory.file("k.pem"))
    let passphrase = Passphrase("open sesame")
    try key.save(to: directory.file("s.pem"), passphrase: passphrase)
    #expect(try PlayerKey.load(directory.file("s.pem"), passphrase: passphrase).file == directory.file("s.pem"))
  }
}
