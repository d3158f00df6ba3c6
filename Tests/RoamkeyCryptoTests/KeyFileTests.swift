import Foundation
import Testing

@testable import RoamkeyCrypto

/// The code that `body` fails with. Its sentence names the file and ends as a sentence does.
func keyFileCode(_ body: () throws -> Void) throws -> KeyFileError.Code? {
  do {
    try body()
    return nil
  } catch let error as KeyFileError {
    #expect(!error.description.contains("\n"))
    if !error.path.isEmpty, !error.path.contains("\0") { #expect(error.description.contains(error.path)) }
    return error.code
  }
}

@Suite struct KeyFileTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private func load(_ path: String) throws -> KeyFileError.Code? {
    try keyFileCode { _ = try PlayerKey.load(path) }
  }

  @Test func aKeyIsMadeOnFirstUseAndKept() throws {
    let path = directory.file("new/me.pem")
    let first = try PlayerKey.loadOrGenerate(path)
    #expect(first.file == path)
    #expect(try directory.mode("new/me.pem") == 0o600)
    #expect(try directory.mode("new") == 0o700)
    let text = try directory.read("new/me.pem")
    #expect(try PlayerKey.loadOrGenerate(path).id == first.id)
    #expect(try directory.read("new/me.pem") == text)
  }

  @Test func whatIsThereIsNeverReplacedByANewKey() throws {
    let (damaged, open) = (try directory.write("bad.pem", "no key"), try directory.write("open.pem", "x", mode: 0o644))
    try FileManager.default.createSymbolicLink(atPath: directory.file("link.pem"), withDestinationPath: "nowhere")
    #expect(try keyFileCode { _ = try PlayerKey.loadOrGenerate(damaged) } == .notPEM)
    #expect(try keyFileCode { _ = try PlayerKey.loadOrGenerate(open) } == .notPEM)
    #expect(try keyFileCode { _ = try PlayerKey.loadOrGenerate(directory.path) } == .isDirectory)
    #expect(try keyFileCode { _ = try PlayerKey.loadOrGenerate(directory.file("link.pem")) } == .notFound)
    #expect(try directory.read("bad.pem") == "no key")
    #expect(try directory.names() == ["bad.pem", "link.pem", "open.pem"])
  }

  /// Of those that come at the same moment all are the same player.
  @Test func manyAtOnceGetOneKey() async throws {
    let path = directory.file("me.pem")
    let ids = try await withThrowingTaskGroup(of: PlayerID.self) { group in
      for _ in 0..<8 { group.addTask { try PlayerKey.loadOrGenerate(path).id } }
      return try await group.reduce(into: Set<PlayerID>()) { $0.insert($1) }
    }
    #expect(ids.count == 1)
    #expect(try directory.names() == ["me.pem"])
  }

  @Test func roundTrip() throws {
    let path = directory.file("new/deep/me.pem")
    let key = PlayerKey.generate()
    try key.save(to: path)
    let again = try PlayerKey.load(path)
    #expect(again.id == key.id)
    let text = Array("hello".utf8)
    let honest = key.id.verify(again.sign(text.span.bytes), of: text.span.bytes)
    #expect(honest)
    #expect(try PlayerID.load(path) == key.id)
    #expect(try directory.mode("new/deep/me.pem") == 0o600)
    #expect(try directory.mode("new") == 0o700)
    #expect(try directory.mode("new/deep") == 0o700)
  }

  @Test func publicRoundTrip() throws {
    let id = PlayerKey.generate().id
    try id.savePublic(to: directory.file("me.pub"))
    #expect(try PlayerID.load(directory.file("me.pub")) == id)
    #expect(try directory.mode("me.pub") == 0o644)
    #expect(try load(directory.file("me.pub")) == .publicOnly)
  }

  @Test func opensslReadsOurs() throws {
    let key = PlayerKey.generate()
    try key.save(to: directory.file("me.pem"))
    try key.id.savePublic(to: directory.file("me.pub"))
    let shown = try openssl("pkey", "-in", directory.file("me.pem"), "-noout", "-text")
    let digits = shown.filter { $0.isHexDigit || $0 == ":" }
    #expect(shown.contains("ED25519 Private-Key"))
    let publicHex = key.id.publicKey.bytes.map { hexString([$0]) }.joined(separator: ":")
    #expect(digits.contains(publicHex))
    // The same bytes as openssl would write itself.
    #expect(try openssl("pkey", "-in", directory.file("me.pem")) == (try directory.read("me.pem")))
    #expect(try openssl("pkey", "-in", directory.file("me.pem"), "-pubout") == (try directory.read("me.pub")))
    #expect(try openssl("pkey", "-pubin", "-in", directory.file("me.pub"), "-noout", "-text").contains("ED25519"))
  }

  @Test func weReadThoseOfOpenssl() throws {
    let path = directory.file("other.pem")
    try openssl("genpkey", "-algorithm", "ED25519", "-out", path)
    try #require(chmod(path, 0o600) == 0)
    try openssl("pkey", "-in", path, "-pubout", "-out", directory.file("other.pub"))
    let key = try PlayerKey.load(path)
    #expect(try PlayerID.load(directory.file("other.pub")) == key.id)
    // And sign what openssl verifies.
    let message = try directory.write("message", "are you awake?")
    let signature = key.sign(Array("are you awake?".utf8).span.bytes)
    try directory.write("signature", signature.bytes)
    try openssl(
      "pkeyutl", "-verify", "-pubin", "-inkey", directory.file("other.pub"), "-rawin", "-in", message, "-sigfile",
      directory.file("signature"))
  }

  @Test(arguments: [0o644, 0o640, 0o604, 0o601, 0o620] as [mode_t])
  func fileOpenToOthersIsRefused(mode: mode_t) throws {
    let path = directory.file("me.pem")
    try PlayerKey.generate().save(to: path)
    try #require(chmod(path, mode) == 0)
    #expect(try load(path) == .readableByOthers)
    #expect(try keyFileCode { _ = try PlayerID.load(path) } == .readableByOthers)
    #expect(KeyFileError(.readableByOthers, path).description.contains("chmod 600 \(path)"))
    try #require(chmod(path, 0o400) == 0)
    #expect(try load(path) == nil)
  }

  @Test func linkIsFollowedAndItsTargetChecked() throws {
    try PlayerKey.generate().save(to: directory.file("me.pem"))
    try #require(symlink("me.pem", directory.file("link.pem")) == 0)
    #expect(try load(directory.file("link.pem")) == nil)
    try #require(chmod(directory.file("me.pem"), 0o644) == 0)
    #expect(try load(directory.file("link.pem")) == .readableByOthers)
  }

  @Test func whatIsNoFileIsRefused() throws {
    #expect(try load(directory.file("none.pem")) == .notFound)
    #expect(try load("") == .notFound)
    #expect(try load(directory.path) == .isDirectory)
    try #require(mkfifo(directory.file("pipe"), 0o600) == 0)
    #expect(try load(directory.file("pipe")) == .notRegularFile)
    #expect(try load("/dev/zero") == .notRegularFile)
    try PlayerKey.generate().save(to: directory.file("me.pem"))
    #expect(try load(directory.file("me.pem/me.pem")) == .notFound)
    #expect(try load(directory.file("me.pem") + "\0.txt") == .notFound)
  }

  @Test func nothingIsOverwrittenUnasked() throws {
    let path = directory.file("me.pem")
    let first = PlayerKey.generate()
    let second = PlayerKey.generate()
    try first.save(to: path)
    #expect(try keyFileCode { try second.save(to: path) } == .alreadyExists)
    #expect(try keyFileCode { try second.id.savePublic(to: path) } == .alreadyExists)
    #expect(try PlayerID.load(path) == first.id)
    try second.save(to: path, overwrite: true)
    #expect(try PlayerID.load(path) == second.id)
    // A link that leads nowhere is something, too.
    try #require(symlink("nowhere", directory.file("dangling")) == 0)
    #expect(try keyFileCode { try first.save(to: directory.file("dangling")) } == .alreadyExists)
    #expect(try directory.names() == ["dangling", "me.pem"], "no temporary file stays behind")
  }

  @Test func overwritingReplacesALinkAndNotItsTarget() throws {
    let target = try directory.write("precious", "text")
    try #require(symlink(target, directory.file("me.pem")) == 0)
    try PlayerKey.generate().save(to: directory.file("me.pem"), overwrite: true)
    #expect(try directory.read("precious") == "text")
    #expect(try directory.mode("me.pem") == 0o600)
  }

  @Test func whatCannotBeWrittenIsTold() throws {
    let key = PlayerKey.generate()
    try FileManager.default.createDirectory(atPath: directory.file("folder"), withIntermediateDirectories: false)
    #expect(try keyFileCode { try key.save(to: directory.file("folder")) } == .isDirectory)
    #expect(try keyFileCode { try key.save(to: directory.file("folder"), overwrite: true) } == .isDirectory)
    #expect(try keyFileCode { try key.save(to: directory.file("folder/")) } == .isDirectory)
    // A key must not take the place of a device, as `/dev/full` is one; a pipe stands for it here.
    let pipe = directory.file("pipe")
    #expect(mkfifo(pipe, 0o600) == 0)
    #expect(try keyFileCode { try key.save(to: pipe, overwrite: true) } == .notRegularFile)
    #expect(try keyFileCode { _ = try PlayerKey.load(pipe) } == .notRegularFile)
    #expect(try keyFileCode { try key.save(to: "") } == .cannotWrite)
    try directory.write("file", "")
    #expect(try keyFileCode { try key.save(to: directory.file("file/me.pem")) } == .cannotWrite)
    let long = directory.file(String(repeating: "x", count: 300))
    #expect(try keyFileCode { try key.save(to: long) } == .cannotWrite)
    #expect(try directory.names() == ["file", "folder", "pipe"])
  }

  @Test func ofManyWritersOneWins() async throws {
    for round in 0..<20 {
      let path = directory.file("race-\(round).pem")
      let winners = await withTaskGroup(of: PlayerID?.self) { group in
        for _ in 0..<4 {
          group.addTask {
            let key = PlayerKey.generate()
            do throws(KeyFileError) {
              try key.save(to: path)
              return key.id
            } catch {
              #expect(error.code == .alreadyExists)
              return nil
            }
          }
        }
        return await group.reduce(into: [PlayerID]()) { if let id = $1 { $0.append(id) } }
      }
      #expect(winners.count == 1)
      #expect(try PlayerID.load(path) == winners.first)
    }
    #expect(try directory.names().count == 20)
  }

  @Test func pathsInSentencesAreHarmless() {
    let error = KeyFileError(.notFound, "a\u{1b}[2Jb\n")
    #expect(!error.description.contains("\u{1b}") && !error.description.contains("\n"))
  }
}
