import Foundation
import TestSupport
import Testing

@testable import Roamkey

private struct Hero: Codable, Hashable {
  var gold = 100
  var bag: [String] = []
}

/// What a game remembers of its players, in memory and in a file.
@Suite(.realTime, .timeLimit(.minutes(40))) final class PlayerStorageTests {
  private let directory = FileManager.default.temporaryDirectory.appendingPathComponent("roamkey-\(UUID().uuidString)")
    .path
  private var path: String { directory + "/new/heroes" }
  private let (ada, ben, cat) = (PlayerKey.generate().id, PlayerKey.generate().id, PlayerKey.generate().id)

  deinit { try? FileManager.default.removeItem(atPath: directory) }

  private func open(limit: Int = 100) throws -> PlayerStorage<Hero> {
    try PlayerStorage(file: path, default: Hero(), limit: limit)
  }

  private func put(_ bytes: [UInt8]) throws {
    try FileManager.default.createDirectory(atPath: directory + "/new", withIntermediateDirectories: true)
    try Data(bytes).write(to: URL(fileURLWithPath: path))
  }

  private func bytes() throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path))) }

  @Test func theDefaultUntilSomethingIsKnown() {
    let points = PlayerStorage(default: 7)
    #expect(points[ada] == 7 && !points.contains(ada) && points.players.isEmpty && points.path == nil)
    points[ada] += 3
    #expect(points[ada] == 10 && points[ben] == 7 && points.players == [ada])
    #expect(
      points.update(ben) {
        $0 += 1; return "done"
      } == "done")
    #expect(points[ben] == 8)
    points.remove(ada)
    #expect(points[ada] == 7 && points.players == [ben])
  }

  @Test func theLongestGoneAreForgotten() {
    let points = PlayerStorage(default: 0, limit: 2)
    points[ada] = 1
    points[ben] = 2
    _ = points[ada]
    points[cat] = 3
    #expect(points.players == [ada, cat] && points[ben] == 0)
    // At least one has a place.
    let one = PlayerStorage(default: 0, limit: -5)
    one[ada] = 1
    #expect(one.limit == 1 && one[ada] == 1)
  }

  @Test func changesOfManyThreadsAllCount() async {
    let points = PlayerStorage(default: 0)
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<8 { group.addTask { [ada] in for _ in 0..<500 { points.update(ada) { $0 += 1 } } } }
    }
    #expect(points[ada] == 4000)
  }

  @Test func aFileKeepsThem() throws {
    var heroes: PlayerStorage<Hero>? = try open()
    #expect(!FileManager.default.fileExists(atPath: path) && heroes?.path == path)
    heroes?[ada].gold -= 30
    heroes?[ben] = Hero(gold: 1, bag: ["rope", "lamp"])
    try heroes?.save()
    let again = try open()
    #expect(again[ada] == Hero(gold: 70) && again[ben].bag == ["rope", "lamp"] && again[cat] == Hero())
    #expect(again.players == [ada, ben])
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    #expect(attributes[.posixPermissions] as? Int == 0o600)
    // Letting it go writes what is new.
    heroes?[cat].gold = 5
    heroes = nil
    #expect(try open()[cat] == Hero(gold: 5))
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory + "/new") == ["heroes"])
    // Fewer places: the longest gone have none.
    #expect(try open(limit: 1).players == [cat])
  }

  @Test func itIsWrittenByItself() async throws {
    let heroes = try open()
    heroes[ada].gold = 3
    try await eventually("the file") { FileManager.default.fileExists(atPath: self.path) ? true : nil }
    #expect(try open()[ada].gold == 3 && heroes.problem == nil)
    heroes[ada].gold = 4
    try await eventually("the change") { try self.open()[self.ada].gold == 4 ? true : nil }
  }

  /// What is broken is told, and left as it is, whatever is done with it.
  @Test func aBrokenFileIsNeverOverwritten() throws {
    try open()[ada] = Hero(gold: 70)
    let whole = try bytes()
    #expect(try open()[ada].gold == 70)
    for count in [0, 1, whole.count / 2, whole.count - 1] {
      try put(Array(whole[..<count]))
      let error = #expect(throws: PlayerStorageError.self) { _ = try open() }
      guard case .damaged(path, _)? = error else { Issue.record("\(error as Any) of \(count) bytes"); continue }
      #expect(try bytes() == Array(whole[..<count]))
    }
    let others: [Value] = [
      [1, 2], ["roamkey": "players/2", "players": []], ["roamkey": "players/1"],
      ["roamkey": "players/1", "players": [[1, 2]]], ["roamkey": "players/1", "players": [[.bytes([1, 2]), 2]]],
    ]
    for other in others {
      try put(try other.cbor())
      let error = #expect(throws: PlayerStorageError.self) { _ = try open() }
      guard case .damaged? = error else { Issue.record("\(error as Any) of \(other)"); continue }
    }
  }

  /// What could not be read again never takes the place of what can.
  @Test func whatIsTooLargeIsNotWritten() throws {
    let limit = 4096
    func open() throws -> PlayerStorage<Hero> {
      try PlayerStorage(PlayerFile(path, sizeLimit: limit), default: Hero(), limit: 100)
    }
    var heroes: PlayerStorage<Hero>? = try open()
    heroes?[ada].gold = 70
    try heroes?.save()
    let before = try bytes()
    heroes?[ben].bag = [String(repeating: "x", count: limit)]
    let error = #expect(throws: PlayerStorageError.self) { try heroes?.save() }
    #expect(error == .tooLarge(path: path, limit: limit) && heroes?.problem == error)
    heroes = nil
    #expect(try bytes() == before && open()[ada].gold == 70)
    // As much as there may be, to the byte; and one more.
    heroes = try open()
    heroes?[ben].bag = [String(repeating: "x", count: 3000)]
    try heroes?.save()
    let room = limit - (try bytes().count)
    heroes?[ben].bag = [String(repeating: "x", count: 3000 + room)]
    try heroes?.save()
    #expect(try bytes().count == limit && open()[ben].bag[0].count == 3000 + room)
    try put(try bytes() + [0])
    let refusal = #expect(throws: PlayerStorageError.self) { _ = try open() }
    #expect(refusal == error)
  }

  @Test func otherRecordsAreToldFromDamage() throws {
    try open()[ada] = Hero(gold: 70)
    let before = try bytes()
    let error = #expect(throws: PlayerStorageError.self) { _ = try PlayerStorage(file: self.path, default: "text") }
    guard case .otherRecords(path, _)? = error else { Issue.record("\(error as Any)"); return }
    #expect(try bytes() == before && error?.description.contains("give each kind a file of its own") == true)
  }

  @Test func whatCannotBeWrittenIsTold() async throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    let directory = #expect(throws: PlayerStorageError.self) { _ = try open() }
    guard case .unusable? = directory else { Issue.record("\(directory as Any)"); return }
    // The directory is in the way of the file once the storage is there.
    try FileManager.default.removeItem(atPath: path)
    let heroes = try open()
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    heroes[ada].gold = 1
    #expect(throws: PlayerStorageError.self) { try heroes.save() }
    #expect(heroes.problem != nil)
    try FileManager.default.removeItem(atPath: path)
    try heroes.save()
    #expect(heroes.problem == nil)
    #expect(try open()[ada].gold == 1)
  }

  @Test func aRecordThatCannotBeWrittenHarmsNothing() throws {
    struct Picky: Codable, Sendable {
      var isGood = true
      func encode(to encoder: any Encoder) throws {
        guard isGood else { throw CBORError.notAValue }
        var container = encoder.singleValueContainer()
        try container.encode(isGood)
      }
      init() {}
      init(from decoder: any Decoder) throws { isGood = try decoder.singleValueContainer().decode(Bool.self) }
    }
    let storage = try PlayerStorage(file: path, default: Picky())
    storage[ada] = Picky()
    try storage.save()
    let before = try bytes()
    storage[ben].isGood = false
    let error = #expect(throws: PlayerStorageError.self) { try storage.save() }
    guard case .notEncodable(path, _)? = error else { Issue.record("\(error as Any)"); return }
    #expect(try bytes() == before)
  }
}
