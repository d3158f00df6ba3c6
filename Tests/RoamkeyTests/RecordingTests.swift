import Foundation
import TestSupport
import Testing

@testable import Roamkey
@testable import RoamkeyEngine

/// A folder to record in, that goes when the test ends.
private final class Place: Sendable {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("roamkey-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(
      atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func configuration(
    _ name: String, fileSize: Int? = nil, folderSize: Int? = nil, buffer: Int? = nil
  ) -> RoamkeyConfiguration {
    var recording = Recording(folder: "\(path)/\(name)")
    if let fileSize { recording.maximumFileSize = fileSize }
    if let folderSize { recording.maximumFolderSize = folderSize }
    if let buffer { recording.bufferLimit = buffer }
    var configuration = RoamkeyConfiguration()
    configuration.recording = recording
    return configuration
  }

  func names(_ name: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: "\(path)/\(name)")) ?? []).sorted()
  }

  func mode(_ path: String) throws -> Int? {
    try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
  }
}

/// The one session of these files, as somebody sees it who has nothing but the files and the ids.
private func check(
  _ paths: [String], player: PlayerID, server: PlayerID
) throws -> (report: EvidenceReport, texts: [String]) {
  var texts: [String] = []
  let reports = EvidenceReport.check(paths, player: player, server: server) { _, message in
    if message.isText { texts.append(String(decoding: message.body, as: UTF8.self)) }
  }
  let report = try #require(reports.first)
  #expect(reports.count == 1)
  return (report, texts)
}

private func size(of path: String) throws -> Int {
  try #require(try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int)
}

/// Recording by real servers and clients on loopback.
@Suite(.realTime, .timeLimit(.minutes(40))) struct RecordingTests {
  private func send(_ numbers: Range<Int>, from client: Client, to server: Server, bytes: Int = 0) async throws {
    for number in numbers {
      let text = "\(number)" + String(repeating: "x", count: bytes)
      while true {
        do throws(SendError) {
          try client.send("\(text)")
          break
        } catch {
          guard case .queueFull = error else { throw error }
          _ = server.takeEvents()
          await client.waitForRoom()
        }
      }
    }
  }

  private func delivered(_ client: Client, to server: Server) async throws {
    try await eventually("all of it to be delivered", within: .seconds(120)) {
      _ = server.takeEvents()
      return client.queuedBytes == 0 ? true : nil
    }
  }

  /// Both sides record, the client moves, and files are asked for while the session is open and after it.
  @Test func bothSidesAndARoamingClient() async throws {
    let place = try Place()
    let server = try await makeServer(configuration: place.configuration("s"))
    let client = try await makeClient(server, configuration: place.configuration("c"))
    try await send(0..<20, from: client, to: server)
    for number in 0..<20 { server.send("\(number)", to: client.id) }
    try await delivered(client, to: server)
    let early = try await server.exportEvidence(of: client.id)
    #expect(early.count == 1)
    let bytes = try Data(contentsOf: URL(fileURLWithPath: try #require(early.first)))
    let (first, texts) = try check(early, player: client.id, server: server.id)
    #expect(first.isGenuine && first.summary.end == .continued, "\(first)")
    #expect(texts == (0..<20).map(String.init))

    try client.rebind(to: loopback)
    try await send(20..<40, from: client, to: server)
    try await server.log.first("the move") { if case .roamed = $0 { true } else { nil } }
    try await delivered(client, to: server)
    let answers = try await client.exportEvidence()
    await client.close()
    try await server.log.first("the session's end") { if case .left = $0 { true } else { nil } }
    let statistics = await server.statistics()
    await server.close()

    let all = try await server.exportEvidence(of: client.id)
    #expect(all.starts(with: early) && all.count > early.count)
    #expect(try Data(contentsOf: URL(fileURLWithPath: early[0])) == bytes, "what was exported stays as it was")
    let (report, said) = try check(all, player: client.id, server: server.id)
    // The session had ended, or the server was stopped while it still answered repeated farewells.
    #expect(report.isGenuine && report.missingParts.isEmpty && report.summary.end != .continued, "\(report)")
    #expect(said == (0..<40).map(String.init))
    #expect(report.summary.missed == 0 && statistics.packetsNotRecorded == 0 && statistics.recordedFilesRemoved == 0)
    #expect(report.summary.packets >= statistics.packetsRecorded && statistics.packetsRecorded > 0)

    let (answered, heard) = try check(answers, player: client.id, server: server.id)
    #expect(answered.isGenuine && answered.header?.recorder == .player, "\(answered)")
    #expect(heard == (0..<20).map(String.init))
    let (whole, _) = try check(try await client.exportEvidence(), player: client.id, server: server.id)
    #expect(whole.isGenuine && whole.summary.end != nil, "\(whole)")

    // Private, and of somebody else they are nobody's evidence.
    for name in ["s", "c"] {
      #expect(try place.mode("\(place.path)/\(name)") == 0o700)
      for file in place.names(name) { #expect(try place.mode("\(place.path)/\(name)/\(file)") == 0o600) }
    }
    let stranger = PlayerKey.generate().id
    let (wrong, nothing) = try check(all, player: stranger, server: server.id)
    #expect(wrong.refusal?.reason == .wrongPlayer(expected: stranger, found: client.id) && nothing.isEmpty)
    #expect(server.recordingError == nil && client.recordingError == nil)
  }

  @Test func partsRotate() async throws {
    let place = try Place()
    let server = try await makeServer(configuration: place.configuration("s", fileSize: 64 << 10))
    let client = try await makeClient(server)
    try await send(0..<300, from: client, to: server, bytes: 1000)
    try await delivered(client, to: server)
    await client.close()
    await server.close()
    let files = try await server.exportEvidence(of: client.id)
    #expect(files.count >= 5)
    for file in files { #expect(try size(of: file) <= 64 << 10) }
    let (report, texts) = try check(files.reversed(), player: client.id, server: server.id)
    #expect(report.isGenuine && report.missingParts.isEmpty && texts.count == 300, "\(report)")
    // One of them is missing.
    let (holed, _) = try check(files.filter { $0 != files[2] }, player: client.id, server: server.id)
    #expect(holed.missingParts == [3...3])
  }

  /// One who fills the folder loses what he has said himself, not what the others have said; and nothing of somebody
  /// else's is touched, whatever it is called.
  @Test func aFullFolder() async throws {
    let place = try Place()
    let folder = "\(place.path)/s"
    try FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    let strangers = ["notes.txt", "20200101T000000Z-0123456789abcdef-000001.rkev"]
    for name in strangers { try Data("mine".utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)")) }
    let server = try await makeServer(
      configuration: place.configuration("s", fileSize: 64 << 10, folderSize: 256 << 10))
    let honest = try await makeClient(server)
    try await send(0..<10, from: honest, to: server)
    try await delivered(honest, to: server)
    let evidence = try await server.exportEvidence(of: honest.id)
    let before = try evidence.map { try Data(contentsOf: URL(fileURLWithPath: $0)) }
    let cheater = try await makeClient(server)
    try await send(0..<800, from: cheater, to: server, bytes: 1000)
    try await delivered(cheater, to: server)
    await cheater.close()
    await honest.close()
    let latest = try await server.exportEvidence(of: cheater.id)
    let statistics = await server.statistics()
    await server.close()
    #expect(try evidence.map { try Data(contentsOf: URL(fileURLWithPath: $0)) } == before)
    let (report, texts) = try check(
      try await server.exportEvidence(of: honest.id), player: honest.id, server: server.id)
    #expect(report.isGenuine && report.missingParts.isEmpty && texts.count == 10, "\(report)")
    // Of the cheater the latest parts are there.
    let (left, _) = try check(latest, player: cheater.id, server: server.id)
    #expect(left.isGenuine && left.missingParts.first?.lowerBound == 1, "\(left)")
    #expect(statistics.recordedFilesRemoved >= 8)
    #expect(try place.names("s").reduce(0) { try $0 + size(of: "\(folder)/\($1)") } <= 256 << 10)
    for name in strangers { #expect(try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8) == "mine") }
  }

  /// A server that is started again writes beside what is there, and files of another key stay whatever the limit.
  @Test func nothingIsOverwritten() async throws {
    let place = try Place()
    let seed = randomSeed()
    var kept: [String: Data] = [:]
    for round in 0..<3 {
      let key = round == 1 ? PlayerKey.generate() : sameKey(seed)
      let server = try await Server(
        key: key, application: "test/1", listen: loopback, discovery: .off, configuration: place.configuration("s"))
      let client = try await makeClient(server)
      try await send(0..<5, from: client, to: server)
      try await delivered(client, to: server)
      await client.close()
      await server.close()
      #expect(place.names("s").count > kept.count)
      for (name, bytes) in kept { #expect(try Data(contentsOf: URL(fileURLWithPath: name)) == bytes) }
      for name in place.names("s") {
        let path = "\(place.path)/s/\(name)"
        kept[path] = try Data(contentsOf: URL(fileURLWithPath: path))
      }
    }
    let recording = try #require(place.configuration("s").recording)
    let own = try RecordingFolder(recording, recorder: sameKey(seed).id)
    #expect(own.makeRoom(for: 1 << 30, parts: 0).count == kept.count - 1, "the file of another key is left alone")
    #expect(place.names("s").count == 1)
  }

  /// A folder has one recorder at a time, also where something else fails.
  @Test func theFolderIsFreeAtOnce() async throws {
    let place = try Place()
    let configuration = place.configuration("s")
    let server = try await makeServer(configuration: configuration)
    await #expect(throws: RoamkeyError.self) { try await makeServer(configuration: configuration) }
    for _ in 0..<3 {
      do throws(RoamkeyError) {
        _ = try await Server(
          key: .generate(), application: "test/1", listen: server.address, discovery: .off,
          configuration: place.configuration("other"))
        Issue.record("the port is in use")
      } catch {
        #expect(error.code == .portInUse, "\(error)")
      }
    }
    await server.close()
    let again = try await makeServer(configuration: configuration)
    await again.close()
  }

  /// What found no room in the buffer is told: all that came is in the file, or counted there.
  @Test func gapsAreTold() async throws {
    let place = try Place()
    let server = try await makeServer(configuration: place.configuration("s", buffer: 5000))
    let client = try await makeClient(server)
    try await send(0..<200, from: client, to: server, bytes: 1000)
    try await delivered(client, to: server)
    let open = try await server.exportEvidence(of: client.id)
    let (early, _) = try check(open, player: client.id, server: server.id)
    #expect(early.isGenuine && early.summary.missed > 0, "\(early)")
    try await send(0..<200, from: client, to: server, bytes: 1000)
    try await delivered(client, to: server)
    await server.close()
    await client.close()
    let statistics = await server.statistics()
    let (report, _) = try check(
      try await server.exportEvidence(of: client.id), player: client.id, server: server.id)
    #expect(report.isGenuine && report.missingParts.isEmpty, "\(report)")
    #expect(report.summary.packets == statistics.packetsRecorded && statistics.packetsRecorded > 0)
    #expect(report.summary.missed == statistics.packetsNotRecorded && report.summary.missed > early.summary.missed)
  }

  /// When the disk refuses, recording stops, the app is told, and the game goes on.
  @Test func theGameGoesOnWithoutADisk() async throws {
    let place = try Place()
    let server = try await makeServer(configuration: place.configuration("s"))
    let client = try await makeClient(server)
    try await send(0..<5, from: client, to: server)
    _ = try await server.exportEvidence(of: client.id)
    try FileManager.default.removeItem(atPath: "\(place.path)/s")
    try await send(5..<10, from: client, to: server)
    let error = try await eventually("recording to stop") { server.recordingError }
    #expect(error.code == .cannotRecord && error.description.contains("has stopped"), "\(error)")
    try await send(10..<15, from: client, to: server)
    let heard = try await server.log.all(15, "all words") {
      if case .message(let message, _) = $0 { message.text } else { nil }
    }
    #expect(heard == (0..<15).map(String.init))
    await #expect(throws: RoamkeyError.self) { try await server.exportEvidence(of: client.id) }
    #expect(await server.statistics().packetsNotRecorded > 0)
    await client.close()
    await server.close()
  }

  @Test func offByDefault() async throws {
    let server = try await makeServer()
    let client = try await makeClient(server)
    #expect(server.recorder == nil && client.recorder == nil && RoamkeyConfiguration().recording == nil)
    await #expect(throws: RoamkeyError.self) { try await server.exportEvidence(of: client.id) }
    await #expect(throws: RoamkeyError.self) { try await client.exportEvidence() }
    let statistics = await server.statistics()
    #expect(statistics.packetsRecorded == 0 && statistics.packetsNotRecorded == 0)
    await client.close()
    await server.close()
  }

  /// What is not signed is no evidence, and that is said before anything is recorded.
  @Test func sealedOnlyIsRefused() async throws {
    let place = try Place()
    do throws(RoamkeyError) {
      _ = try await Server(
        key: .generate(), application: "test/1", listen: loopback, signingPolicy: .sealedOnly, discovery: .off,
        configuration: place.configuration("s"))
      Issue.record("it records nothing")
    } catch {
      #expect(error.code == .cannotRecord && error.description.contains("are not signed"), "\(error)")
      #expect(!error.description.contains("\n"))
    }
    let server = try await makeServer(signingPolicy: .sealedOnly)
    do throws(RoamkeyError) {
      _ = try await Client(
        key: .generate(), application: "test/1", server: "\(server.address)", pinned: server.id,
        configuration: place.configuration("c"))
      Issue.record("it records nothing")
    } catch {
      #expect(error.code == .cannotRecord && error.description.contains("are not signed"), "\(error)")
    }
    await server.close()
    #expect(place.names("s").isEmpty && place.names("c").isEmpty)
  }

  /// A folder that others may look into, or that is none, is refused in one sentence.
  @Test func folders() async throws {
    let place = try Place()
    try FileManager.default.createDirectory(
      atPath: "\(place.path)/open", withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
    try Data().write(to: URL(fileURLWithPath: "\(place.path)/file"))
    for name in ["open", "file", "file/below"] {
      do throws(RoamkeyError) {
        _ = try await makeRecorder(place.configuration(name))
        Issue.record("\(name) was taken")
      } catch {
        #expect(error.code == .cannotRecord && !error.description.contains("\n"), "\(error)")
      }
    }
    let deep = try await makeRecorder(place.configuration("a/b/c"))
    #expect(try place.mode("\(place.path)/a/b/c") == 0o700)
    await deep.close()
  }

  private func makeRecorder(_ configuration: RoamkeyConfiguration) async throws(RoamkeyError) -> Server {
    try await Server(
      key: .generate(), application: "test/1", listen: loopback, discovery: .off, configuration: configuration)
  }
}
