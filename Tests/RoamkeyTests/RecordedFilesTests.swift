import Testing

@testable import Roamkey
@testable import RoamkeyEvidence

/// Which files go when a folder of recordings is full.
struct RecordedFilesTests {
  private let cheater = PlayerKey.generate().id
  private let honest = PlayerKey.generate().id
  private let other = PlayerKey.generate().id
  private let server = PlayerKey.generate().id

  private func header(_ player: PlayerID, part: UInt32 = 1) -> EvidenceHeader {
    EvidenceHeader(
      application: "test/1", server: server, player: player, recorder: .server, handshakeHash: Digest(), part: part)
  }

  private func file(_ name: String, _ player: PlayerID, _ size: Int, part: RecordedPart? = nil) -> RecordedFile {
    RecordedFile(name: name, size: size, header: header(player), part: part)
  }

  /// What one player sends costs only that player's files, though those of the others are older.
  @Test func whoSendsTheMostLosesTheMost() {
    var files = RecordedFiles()
    files.add(file("honest 1", honest, 10_000))
    files.add(file("other 1", other, 5000))
    for number in 1...8 { files.add(file("cheater \(number)", cheater, 10_000)) }
    files.add(file("honest 2", honest, 10_000))
    #expect(files.cost == 105_000)
    let gone = files.makeRoom(for: 10_000, limit: 75_000).map(\.name)
    #expect(gone == ["cheater 1", "cheater 2", "cheater 3", "cheater 4"])
    #expect(files.cost == 65_000)
    #expect(files.makeRoom(for: 10_000, limit: 75_000).isEmpty)
    // Both have 20,000 when the cheater has lost two more: then the oldest goes.
    #expect(files.makeRoom(for: 0, limit: 45_000).map(\.name) == ["cheater 5", "cheater 6"])
    #expect(files.makeRoom(for: 0, limit: 35_000).map(\.name) == ["honest 1"])
    #expect(files.makeRoom(for: 0, limit: 25_000).map(\.name) == ["cheater 7"])
    #expect(files.makeRoom(for: 0, limit: 0).count == 3 && files.cost == 0)
  }

  /// What is written to now stays while anything else can go.
  @Test func openFilesStay() {
    var files = RecordedFiles()
    let part = RecordedPart(header(cheater), name: "open")
    let open = file("open", cheater, 50_000, part: part)
    files.add(open)
    files.add(file("honest", honest, 10_000))
    #expect(files.makeRoom(for: 0, limit: 55_000).map(\.name) == ["honest"] && !open.isGone)
    #expect(files.makeRoom(for: 0, limit: 40_000).map(\.name) == ["open"] && open.isGone)
  }

  @Test func sizesAreCounted() {
    var files = RecordedFiles()
    let small = file("small", honest, 10)
    files.add(small)
    #expect(files.cost == 4096, "a block at least")
    files.grow(small, by: 4000)
    #expect(files.cost == 4096)
    files.grow(small, by: 5990)
    #expect(files.cost == 10_000)
    #expect(files.makeRoom(for: 1, limit: 10_000).map(\.name) == ["small"])
    #expect(files.cost == 0 && files.written.isEmpty)
  }

  /// A part keeps no memory of its busiest moment.
  @Test func buffersAreLetGo() {
    let part = RecordedPart(header(honest), name: "part")
    for _ in 0..<10_000 { part.addGap(1, time: 0) }
    #expect(part.pending.count > 64 << 10)
    part.onWritten()
    #expect(part.pending.capacity == 0)
    part.addGap(1, time: 0)
    part.onWritten()
    #expect((1...64 << 10).contains(part.pending.capacity))
  }
}
