import RoamkeyWire
import Testing

@testable import RoamkeyEngine

/// PROTOCOL §5.9: ids that are given out, used, and retired.
struct ConnectionIDTests {
  private static let start = Instant(nanoseconds: 0)
  private static let wifi = PeerConnectionIDs.Way(way(port: 1))
  private static let mesh = PeerConnectionIDs.Way(way(port: 2))

  private static func way(port: UInt16) -> NetworkPath {
    NetworkPath(local: .any(port: port), remote: NetworkAddress(ipv4: 192, 0, 2, 1, port: 7447))
  }

  private static func id(_ number: UInt64) -> ConnectionID { ConnectionID(number) }

  private static func token(_ number: UInt64) -> UInt128 { UInt128(number) << 64 | 7 }

  /// The id of the handshake, and some more.
  private static func given(_ count: UInt64 = 4) throws -> PeerConnectionIDs {
    var ids = PeerConnectionIDs(id(0), token: token(0))
    for sequence in 1..<(count + 1) {
      try ids.add(sequence: sequence, id(sequence), token: token(sequence), retirePriorTo: 0)
    }
    return ids
  }

  private static func isToken(_ number: UInt64, of ids: PeerConnectionIDs) -> Bool {
    var bytes: [UInt8] = []
    bytes.append(bigEndian: token(number))
    return ids.isToken(bytes.span.bytes)
  }

  /// The sequences that the peer is told are retired.
  private static func retired(_ ids: inout PeerConnectionIDs) -> [UInt64] {
    var sequences: [UInt64] = []
    while ids.owesFrame {
      _ = FrameWriting.write { output in
        if case .retireConnectionID(let sequence) = ids.appendFrame(to: &output) { sequences.append(sequence) }
      }
    }
    return sequences
  }

  @Test func aMoveTakesAFreshOneAndRetiresTheOld() throws {
    var ids = try Self.given()
    #expect(ids.active == Self.id(0))
    ids.activate(for: Self.wifi)
    #expect(ids.active == Self.id(1))
    #expect(Self.retired(&ids) == [0])
    ids.onLost(0)
    #expect(Self.retired(&ids) == [0], "told until it is known")
  }

  @Test func whatAskedAWayIsUsedThereAndNowhereElse() throws {
    var ids = try Self.given()
    let asking = ids.id(asking: Self.mesh)
    #expect(asking != ids.active && ids.id(asking: Self.mesh) == asking)
    ids.activate(for: Self.wifi)
    #expect(ids.active != asking, "it was seen on the mesh")
    ids.activate(for: Self.mesh)
    #expect(ids.active == asking)
  }

  @Test func idsOfWaysThatAreGoneAreNotUsedAgain() throws {
    var ids = try Self.given(1)
    let asking = ids.id(asking: Self.mesh)
    ids.retireAsking { $0 == Self.mesh }
    #expect(Self.retired(&ids) == [1])
    ids.activate(for: Self.wifi)
    #expect(ids.active == Self.id(0) && ids.active != asking)
  }

  @Test func withoutAnotherOneItStays() throws {
    var ids = try Self.given(1)
    ids.activate(for: Self.wifi)
    ids.activate(for: Self.mesh)
    #expect(ids.active == Self.id(1) && Self.retired(&ids) == [0])
    #expect(ids.id(asking: Self.wifi) == Self.id(1))
    try ids.add(sequence: 2, Self.id(2), token: Self.token(2), retirePriorTo: 0)
    ids.activate(for: Self.wifi)
    #expect(ids.active == Self.id(2))
  }

  @Test func thePeerMayHaveThemRetired() throws {
    var ids = try Self.given(3)
    try ids.add(sequence: 4, Self.id(4), token: Self.token(4), retirePriorTo: 3)
    #expect(Self.retired(&ids) == [0, 1, 2])
    #expect([Self.id(3), Self.id(4)].contains(ids.active))
    // It was not heard, and is said again.
    try ids.add(sequence: 1, Self.id(1), token: Self.token(1), retirePriorTo: 0)
    #expect(Self.retired(&ids) == [1])
    #expect(![Self.id(0), Self.id(1), Self.id(2)].contains(ids.active))
  }

  @Test func contradictionsAreRefused() throws {
    var ids = try Self.given(2)
    try ids.add(sequence: 2, Self.id(2), token: Self.token(2), retirePriorTo: 0)
    #expect(throws: PeerConnectionIDs.Misuse.contradiction) {
      try ids.add(sequence: 2, Self.id(9), token: 1, retirePriorTo: 0)
    }
    #expect(throws: PeerConnectionIDs.Misuse.contradiction) {
      try ids.add(sequence: 3, Self.id(2), token: 1, retirePriorTo: 0)
    }
    let longer = try ConnectionID([UInt8](repeating: 7, count: 12))
    #expect(throws: PeerConnectionIDs.Misuse.contradiction) {
      try ids.add(sequence: 3, longer, token: 1, retirePriorTo: 0)
    }
  }

  @Test func moreThanEightAreRefused() throws {
    var ids = try Self.given(7)
    #expect(throws: PeerConnectionIDs.Misuse.tooMany) {
      try ids.add(sequence: 8, Self.id(8), token: 1, retirePriorTo: 0)
    }
  }

  @Test("a peer that has ids retired without end is stopped")
  func endlessRetirement() throws {
    var ids = PeerConnectionIDs(Self.id(0), token: nil)
    var count: UInt64 = 0
    #expect(throws: PeerConnectionIDs.Misuse.self) {
      for sequence in 1..<10_000 as Range<UInt64> {
        // Every other number, so that the retired ones never come to stand in a row.
        try ids.add(sequence: 2 * sequence, Self.id(sequence), token: 1, retirePriorTo: 2 * sequence)
        count += 1
      }
    }
    #expect(count < 1000)
  }

  @Test("§6: tokens of ids that are retired mean nothing")
  func tokens() throws {
    var ids = try Self.given(2)
    #expect(Self.isToken(0, of: ids) && Self.isToken(2, of: ids) && !Self.isToken(3, of: ids))
    ids.activate(for: Self.wifi)
    #expect(!Self.isToken(0, of: ids) && Self.isToken(1, of: ids))
    let short = [UInt8](repeating: 0, count: 15)
    let isToken = ids.isToken(short.span.bytes)
    #expect(!isToken)
  }

  // MARK: Ours

  @Test func issuedOnesAreReplaced() {
    var ids = IssuedConnectionIDs(Self.id(0))
    while ids.wantsMore { ids.issue(Self.id(UInt64(ids.all.count)), token: 0) }
    #expect(ids.all.count == IssuedConnectionIDs.target)
    #expect(ids.retire(0, until: Self.start + .seconds(1)) == true)
    #expect(ids.wantsMore && ids.contains(Self.id(0)), "late packets have it still")
    #expect(ids.takeExpired(now: Self.start) == [])
    #expect(ids.nextTimeout == Self.start + .seconds(1))
    #expect(ids.takeExpired(now: Self.start + .seconds(1)) == [Self.id(0)])
    #expect(!ids.contains(Self.id(0)) && ids.nextTimeout == nil)
    #expect(ids.retire(0, until: Self.start) == true, "said again")
    #expect(ids.retire(99, until: Self.start) == false, "it never was")
  }

  @Test func whoRetiresFastIsForgottenFast() {
    var ids = IssuedConnectionIDs(Self.id(0))
    for sequence in 0..<100 as Range<UInt64> {
      ids.issue(Self.id(sequence + 1), token: 0)
      #expect(ids.retire(sequence, until: .distantFuture) == true)
      _ = ids.takeExpired(now: Self.start)
    }
    #expect(ids.all.count <= 1 + 8)
  }

  @Test func theLastOneCannotBeRetired() {
    var ids = IssuedConnectionIDs(Self.id(0))
    ids.issue(Self.id(1), token: 0)
    #expect(ids.retire(0, until: Self.start) == true)
    #expect(ids.retire(1, until: Self.start) == false)
    #expect(ids.size == 8 && ids.wantsMore)
  }

  @Test func theEmptyIDHasNoOthers() {
    #expect(!IssuedConnectionIDs(ConnectionID()).wantsMore)
  }

  @Test func anIDIsToldUntilItIsRetired() {
    var ids = IssuedConnectionIDs(Self.id(0))
    ids.issue(Self.id(1), token: 5)
    var frames: [[UInt8]] = []
    func tell() { frames.append(FrameWriting.write { output in _ = ids.appendFrame(to: &output) }) }
    tell()
    #expect(frames[0].count == 1 + 1 + 1 + 1 + 8 + 16 && !ids.owesFrame)
    ids.onLost(1)
    tell()
    #expect(frames[1] == frames[0])
    _ = ids.retire(1, until: Self.start)
    ids.onLost(1)
    #expect(!ids.owesFrame)
  }
}

/// What frames look like.
enum FrameWriting {
  static func write(_ body: (inout OutputRawSpan) -> Void) -> [UInt8] {
    var buffer = [UInt8](repeating: 0xee, count: 1400)
    let count = buffer.withUnsafeMutableBytes { bytes in
      var output = OutputRawSpan(buffer: bytes, initializedCount: 0)
      body(&output)
      return output.finalize(for: bytes)
    }
    return Array(buffer[..<count])
  }
}
