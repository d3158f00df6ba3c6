import Foundation
import Roamkey
import TestSupport
import Testing

func openTable(_ key: consuming PlayerKey, port: Int, evidence: String) async throws -> Server {
  var configuration = RoamkeyConfiguration()
  configuration.recording = Recording(folder: evidence)
  return try await Server(key: key, application: "cards/1", port: port, configuration: configuration)
}

/// What a player has said, for whoever is to judge it: copy these files.
func accuse(_ player: PlayerID, at server: Server) async throws -> [String] {
  if let problem = server.recordingError { throw problem }
  return try await server.exportEvidence(of: player)
}

func judge(_ files: [String], _ player: PlayerID, server: PlayerID) -> Bool {
  let reports = EvidenceReport.check(files, player: player, server: server)
  return !reports.isEmpty && reports.allSatisfy(\.isGenuine)
}

@Suite(.realTime, .timeLimit(.minutes(40))) struct EvidenceListingTests {
  @Test func whatSomebodySaidIsShownToOthers() async throws {
    let directory = try ScratchDirectory()
    let server = try await openTable(.generate(), port: 0, evidence: directory.path + "/evidence")
    let client = try await Client(
      key: .generate(), application: "cards/1", server: "127.0.0.1:\(server.address.port)", pinned: server.id)
    try client.send("all in")
    try await eventually("the word") {
      server.takeEvents().contains { if case .message = $0 { true } else { false } } ? true : nil
    }
    let files = try await accuse(client.id, at: server)
    #expect(files.count == 1 && judge(files, client.id, server: server.id))
    #expect(!judge(files, server.id, server: server.id) && !judge([], client.id, server: server.id))
    await client.close()
    await server.close()
  }
}
