import Foundation
import RoamkeySimulator
import Testing

@testable import RoamkeyCrypto

/// PROTOCOL §12.6.
@Suite struct HandoverTests {
  private struct File: Decodable {
    struct Vector: Decodable {
      let oldSeed: String
      let newSeed: String
      let time: UInt64
      let statement: String
      let text: String
    }

    let handovers: [Vector]
  }

  private static func key(_ number: UInt8) -> PlayerKey {
    var seed = [UInt8](repeating: number, count: 32)
    return PlayerKey(seed: SecretBytes(wiping: &seed))
  }

  private func error<R>(_ body: () throws(HandoverError) -> R) -> HandoverError? {
    do throws(HandoverError) {
      _ = try body()
      return nil
    } catch {
      #expect(error.description.hasSuffix(".") && !error.description.contains("\n"))
      return error
    }
  }

  @Test func theVectors() throws {
    let vectors = try Vectors.decode(File.self, "keys.json").handovers
    #expect(vectors.count == 3)
    for vector in vectors {
      let old = PlayerKey(seed: secret(vector.oldSeed))
      let new = PlayerKey(seed: secret(vector.newSeed))
      let handover = try old.handOver(to: new, time: vector.time)
      #expect(hexString(handover.bytes) == vector.statement)
      #expect(handover.text == vector.text)
      let read = try Handover.all(in: vector.text)
      #expect(read == [handover])
      #expect(read[0].old == old.id && read[0].new == new.id && read[0].time == vector.time)
    }
  }

  /// Nobody but both keys can make one, and nothing of it can be altered.
  @Test func everyBitCounts() throws {
    let bytes = try Self.key(1).handOver(to: Self.key(2), time: 3).bytes
    #expect(bytes.count == Handover.size)
    _ = try Handover(bytes)
    for place in bytes.indices {
      for bit in 0..<8 {
        #expect(error { () throws(HandoverError) in try Handover(bytes.flipped(at: place, bit: bit)) } != nil)
      }
    }
    #expect(error { () throws(HandoverError) in try Handover(bytes + [0]) } == .damaged)
    #expect(error { () throws(HandoverError) in try Handover(Array(bytes.dropLast())) } == .damaged)
  }

  /// Each signature is that of its own key: none stands for the other, nor for one of another statement.
  @Test func aSignatureHasItsSide() throws {
    let there = try Self.key(1).handOver(to: Self.key(2), time: 3).bytes
    var swapped = Array(there[..<73])
    swapped += there[137...] + there[73..<137]
    #expect(error { () throws(HandoverError) in try Handover(swapped) } == .forged)
    // One who has the old key alone cannot hand it over to somebody who does not want it, nor to a key of others.
    let thief = try Self.key(1).handOver(to: Self.key(3), time: 3).bytes
    var forced = Array(there[..<73])
    forced += there[73..<137] + thief[137...]
    #expect(error { () throws(HandoverError) in try Handover(forced) } == .forged)
    #expect(error { () throws(HandoverError) in try Self.key(1).handOver(to: Self.key(1)) } == .ofItself)
  }

  @Test func whatIsSignedElsewhereIsNone() throws {
    // An author's statement or an identity begin with other labels.
    let (old, new) = (Self.key(1).id, Self.key(2).id)
    var body: [UInt8] = [1]
    body += old.publicKey.bytes + new.publicKey.bytes + [UInt8](repeating: 0, count: 8)
    let digest = BLAKE2b.hash("rk1 handover") { $0.update(body.span.bytes) }.bytes
    for label in ["roamkey/1 author", "roamkey/1 identity", ""] {
      let message = Array(label.utf8) + [UInt8](repeating: 0, count: 32 - label.utf8.count) + digest
      let forged = body + Self.key(1).sign(message.span.bytes).bytes + Self.key(2).sign(message.span.bytes).bytes
      #expect(error { () throws(HandoverError) in try Handover(forged) } == .forged)
    }
  }

  @Test func aFileHoldsAChain() throws {
    let directory = try TemporaryDirectory()
    let one = try Self.key(1).handOver(to: Self.key(2)), two = try Self.key(2).handOver(to: Self.key(3))
    let path = directory.file("new/a.handover")
    try one.save(to: path)
    #expect(try directory.mode("new/a.handover") == 0o644)
    #expect(try Handover.load(path) == [one])
    #expect(try keyFileCode { try two.save(to: path) } == .alreadyExists)
    try two.save(to: path, overwrite: true)
    #expect(try Handover.load(path) == [two])
    let chain = try directory.write("chain", "from Ada\n" + one.text + "\r\n# and\n" + two.text, mode: 0o644)
    #expect(try Handover.load(chain) == [one, two])
    let now = UInt64(Date().timeIntervalSince1970)
    #expect((now - 60...now + 1).contains(one.time))
  }

  @Test func whatIsNoneIsRefusedInOneSentence() throws {
    let text = try Self.key(1).handOver(to: Self.key(2)).text
    let directory = try TemporaryDirectory()
    #expect(error { () throws(HandoverError) in try Handover.all(in: "") } == HandoverError.none)
    #expect(error { () throws(HandoverError) in try Handover.all(in: "hello\nworld") } == HandoverError.none)
    #expect(error { () throws(HandoverError) in try Handover.all(in: String(text.dropLast(20))) } == .damaged)
    #expect(error { () throws(HandoverError) in try Handover.all(in: text + String(text.dropLast(20))) } == .damaged)
    let key = try directory.write("a.pem", "")
    try Self.key(1).save(to: key, overwrite: true)
    #expect(error { () throws(HandoverError) in try Handover.load(key) } == HandoverError.none)
    guard case .file(let file) = error({ () throws(HandoverError) in try Handover.load(directory.file("none")) }) else {
      Issue.record("another error")
      return
    }
    #expect(file.code == .notFound)
  }

  // MARK: What is accepted

  @Test func chainsAreFollowed() throws {
    var handovers = Handovers()
    let ids = (1...5).map { Self.key(UInt8($0)).id }
    // In any order.
    for place in [2, 0, 3, 1] {
      let handover = try Self.key(UInt8(place + 1)).handOver(to: Self.key(UInt8(place + 2)))
      #expect(try handovers.accept(handover))
      #expect(try !handovers.accept(handover))
    }
    #expect(ids.allSatisfy { handovers.current($0) == ids[4] })
    #expect(handovers.count == 4)
    let stranger = Self.key(9).id
    #expect(handovers.current(stranger) == stranger)
  }

  /// A thief of the old key can hand it over as well: what was accepted first stays.
  @Test func twoHandOversContradictEachOther() throws {
    var handovers = Handovers()
    let right = try Self.key(1).handOver(to: Self.key(2)), wrong = try Self.key(1).handOver(to: Self.key(3))
    try handovers.accept(right)
    let expected = HandoverError.contradiction(old: right.old, accepted: right.new, offered: wrong.new)
    #expect(error { () throws(HandoverError) in try handovers.accept(wrong) } == expected)
    #expect(expected.description.contains("\(right.new)") && expected.description.contains("\(wrong.new)"))
    #expect(handovers.current(right.old) == right.new)
    // The same again with another time is no contradiction.
    #expect(try !handovers.accept(Self.key(1).handOver(to: Self.key(2), time: 7)))
    // Two old keys may become one.
    #expect(try handovers.accept(Self.key(4).handOver(to: Self.key(2))))
  }

  @Test func nobodyComesBack() throws {
    var handovers = Handovers()
    for number: UInt8 in 1...3 { try handovers.accept(Self.key(number).handOver(to: Self.key(number + 1))) }
    let back = try Self.key(4).handOver(to: Self.key(1))
    #expect(error { () throws(HandoverError) in try handovers.accept(back) } == .circle(old: back.old, new: back.new))
    #expect(handovers.current(back.new) == back.old)
  }
}
