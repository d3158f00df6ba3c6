import RoamkeyCrypto
import RoamkeyWire
import Testing

@testable import RoamkeyEngine

/// Several endpoints that are one server together: whose an id is, who hands what over, and what is one for all.
struct ShardTests {
  /// The vectors of SipHash's authors for the bytes 00 to 07, and 00 to 0f, under the key 00 to 0f.
  @Test func theHashIsSipHash() {
    let key: (UInt64, UInt64) = (0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908)
    #expect(SipHash.hash(0x0706_0504_0302_0100, key: key) == 0x93f5_f579_9a93_2462)
    #expect(SipHash.hash(key.0, key.1, key: key) == 0x3f2a_cc7f_57c2_9bdb)
  }

  /// Every shard gets its part, whatever the ids look like, and another key spreads them otherwise.
  @Test func idsAreSpreadEvenly() {
    let (map, other) = (ShardMap(key: (1, 2), count: 5), ShardMap(key: (1, 3), count: 5))
    var counts = [Int](repeating: 0, count: 5)
    for id in 0..<UInt64(10_000) { counts[map.shard(of: id)] += 1 }
    #expect(counts.allSatisfy { (1800...2200).contains($0) }, "\(counts)")
    #expect((0..<UInt64(1000)).contains { map.shard(of: $0) != other.shard(of: $0) })
    #expect((0..<UInt64(100)).allSatisfy { ShardMap(key: (1, 2), count: 1).shard(of: $0) == 0 })
  }

  @Test func handlesRiseAndNameTheirShard() {
    let handles = (1...40).map { ServerShard.handle(UInt64($0), shard: $0 % 16) }
    #expect(handles.map(\.rawValue) == handles.map(\.rawValue).sorted() && Set(handles).count == 40)
    #expect(handles.map(ServerShard.shard) == (1...40).map { $0 % 16 })
  }

  /// Hello, Finish and packets may each come to any socket: the session is where its Hello came.
  @Test(arguments: [(0, 0, 0), (0, 1, 1), (1, 0, 2), (2, 1, 0)])
  func anyWayIn(_ sockets: (hello: Int, finish: Int, packet: Int)) throws {
    let crew = Crew()
    let client = crew.connect(1, hello: sockets.hello, finish: sockets.finish)
    let server = crew.shards[sockets.hello]
    #expect(server.players.count == 1 && crew.shards.reduce(0) { $0 + $1.sessions.count } == 1)
    for key in server.sessionsByConnectionID.keys { #expect(crew.map.shard(of: key) == sockets.hello) }
    #expect(server.sessionsByConnectionID.count > 1, "it has ids to move with, all of its own shard")
    try client.send(MessageContent(format: .text, action: "", body: [1, 2, 3]).encoded(), now: crew.now)
    crew.exchange(client, 1, at: sockets.packet)
    #expect(crew.messages(of: sockets.hello) == [[1, 2, 3]])
    // Each counts once, and on its owner.
    let received = crew.shards.map(\.statistics.datagramsReceived)
    #expect(received.enumerated().allSatisfy { $0.offset == sockets.hello ? $0.element >= 3 : $0.element == 0 })
    #expect(crew.shards.allSatisfy { $0.statistics.dropped == 0 })
  }

  /// An id that nobody has is answered for by the shard that would have given it out, and by no other.
  @Test func unknownIDsAreTheOwners() {
    let crew = Crew()
    for id in UInt64(1)...30 {
      var packet: [UInt8] = [0]
      packet.append(bigEndian: id)
      packet += [UInt8](repeating: 9, count: 100)
      crew.deliver(packet, to: Int(id) % 3, from: 1)
      let owner = crew.map.shard(of: id)
      for index in 0..<3 { #expect(Crew.datagrams(of: crew.shards[index], crew.now).count == (index == owner ? 1 : 0)) }
    }
  }

  /// A player who comes again on another shard: the session there is the only one, and the old one says `replaced`.
  @Test func replacedAcrossShards() {
    let crew = Crew()
    _ = crew.connect(1, hello: 0, finish: 0)
    _ = crew.connect(2, hello: 0, finish: 0)
    _ = crew.connect(1, hello: 1, finish: 1)
    #expect(crew.shards[0].players.count == 1 && crew.shards[1].players.count == 1)
    #expect(crew.reasons(of: 0) == [.replaced] && crew.registry.places.count == 2)
    // And back again, and on the same one.
    _ = crew.connect(1, hello: 0, finish: 1)
    _ = crew.connect(1, hello: 0, finish: 0)
    #expect(crew.reasons(of: 1) == [.replaced] && crew.reasons(of: 0) == [.replaced])
    #expect(crew.shards[0].players.count == 2 && crew.shards[1].players.isEmpty)
    #expect(crew.registry.places.count == 2)
    // The word for a session that has ended meanwhile, or is somebody else's, does nothing.
    crew.shards[1].supersede(ServerShard.handle(1, shard: 1), now: crew.now)
    #expect(crew.shards[0].players.count == 2)
  }

  /// A place is given back once, by whoever had it last.
  @Test func placesAreCountedOverAllShards() {
    let crew = Crew(places: 2)
    _ = crew.connect(1, hello: 0, finish: 0)
    _ = crew.connect(2, hello: 1, finish: 1)
    _ = crew.connect(3, hello: 2, finish: 2)
    #expect(crew.shards[2].players.isEmpty && crew.shards[2].statistics.refusals == 1)
    crew.shards[1].shutdown(now: crew.now)
    for _ in 0..<40 { crew.run(for: .seconds(1)) }
    #expect(crew.registry.places.count == 1)
    _ = crew.connect(3, hello: 2, finish: 2)
    #expect(crew.shards[2].players.count == 1 && crew.registry.places.count == 2)
  }
}
