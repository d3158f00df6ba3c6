import Foundation
import TestSupport
import Testing

@testable import Roamkey

/// A player's record goes over to a new key, once.
@Suite(.realTime, .timeLimit(.minutes(40))) final class PlayerHandoverTests {
  private let old = PlayerKey.generate()
  private let new = PlayerKey.generate()
  private let thief = PlayerKey.generate()

  private func error(_ body: () throws(HandoverError) -> Bool) -> HandoverError? {
    do throws(HandoverError) {
      _ = try body()
      return nil
    } catch {
      return error
    }
  }

  @Test func theRecordMovesToTheNewKey() throws {
    let points = PlayerStorage(default: 0)
    points[old.id] = 10
    let handover = try old.handOver(to: new)
    #expect(try points.apply(handover))
    #expect(points[new.id] == 10 && points[old.id] == 0)
    #expect(points.players == [new.id])
    // Said again it does nothing, even where the old key plays on.
    points[old.id] = 3
    points[new.id] = 20
    #expect(try !points.apply(handover))
    #expect(points[new.id] == 20 && points[old.id] == 3)
    // And on.
    let newest = PlayerKey.generate()
    #expect(try points.apply(new.handOver(to: newest)))
    #expect(points[newest.id] == 20)
  }

  /// Who has stolen the old key cannot take what was handed over; who comes first has it.
  @Test func theFirstHandoverStays() throws {
    let points = PlayerStorage(default: 0)
    points[old.id] = 10
    #expect(try points.apply(old.handOver(to: new)))
    let second = try old.handOver(to: thief)
    let contradiction = HandoverError.contradiction(old: old.id, accepted: new.id, offered: thief.id)
    #expect(error { () throws(HandoverError) in try points.apply(second) } == contradiction)
    // Nor with a record that the thief has made under it.
    points[old.id] = 1
    #expect(error { () throws(HandoverError) in try points.apply(second) } == contradiction)
    #expect(points[new.id] == 10 && points[thief.id] == 0 && points[old.id] == 1)
    let back = try new.handOver(to: old)
    #expect(error { () throws(HandoverError) in try points.apply(back) } == .circle(old: new.id, new: old.id))
  }

  @Test func aStrangerHasNothingToHandOver() throws {
    let points = PlayerStorage(default: 0)
    #expect(try !points.apply(old.handOver(to: thief)))
    #expect(points.players.isEmpty)
    // It was not noted, so that nobody fills the notes.
    points[old.id] = 10
    #expect(try points.apply(old.handOver(to: new)))
    #expect(points[new.id] == 10)
  }

  @Test func twoRecordsBecomeOneAsTheGameSays() throws {
    let points = PlayerStorage(default: 0)
    (points[old.id], points[new.id]) = (10, 5)
    let handover = try old.handOver(to: new)
    #expect(error { () throws(HandoverError) in try points.apply(handover) } == .occupied(new: new.id))
    #expect(points[old.id] == 10 && points[new.id] == 5)
    #expect(try points.apply(handover, combining: { old, new in 100 * old + new }))
    #expect(points[new.id] == 1005 && !points.contains(old.id))
  }

  @Test func theFileRemembersThem() throws {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("roamkey-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let path = directory + "/points"
    func open(limit: Int = 100) throws -> PlayerStorage<Int> {
      try PlayerStorage(file: path, default: 0, limit: limit)
    }
    do {
      let points = try open()
      points[old.id] = 10
      #expect(try points.apply(old.handOver(to: new)))
      try points.save()
    }
    let again = try open()
    #expect(again[new.id] == 10 && again.players == [new.id])
    let second = try old.handOver(to: thief)
    let contradiction = HandoverError.contradiction(old: old.id, accepted: new.id, offered: thief.id)
    #expect(error { () throws(HandoverError) in try again.apply(second) } == contradiction)
    // Reading is no change: the file is written when there is one.
    let before = try Data(contentsOf: URL(fileURLWithPath: path))
    try again.save()
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
    // A file with something else there is damaged.
    let bad: Value = ["roamkey": "players/1", "players": [], "handovers": [[1, 2]]]
    try Data(bad.cbor()).write(to: URL(fileURLWithPath: path))
    #expect(throws: PlayerStorageError.self) { _ = try open() }
    // A circle in a file, which no storage writes, ends nowhere.
    let (a, b) = (Value.bytes(old.id.publicKey.bytes), Value.bytes(new.id.publicKey.bytes))
    let circle: Value = [
      "roamkey": "players/1", "players": [], "handovers": [.list([a, b]), .list([b, a]), .list([a, a])],
    ]
    try Data(circle.cbor()).write(to: URL(fileURLWithPath: path))
    #expect(try !open().contains(old.id))
  }

  /// As many notes as there may be records: the oldest are forgotten, and what they moved stays moved.
  @Test func notesAreBounded() throws {
    let points = PlayerStorage(default: 0, limit: 2)
    var last: Handover?
    for _ in 0..<5 {
      let from = PlayerKey.generate()
      points[from.id] = 1
      let handover = try from.handOver(to: PlayerKey.generate())
      #expect(try points.apply(handover))
      last = handover
    }
    #expect(points.shelf.withLock { $0.givenUp.count } == 2)
    #expect(points.shelf.withLock { $0.handovers.count } == 2)
    #expect(try points[#require(last).new] == 1)
  }
}
