import RoamkeyCBOR
import RoamkeyCrypto
import Testing

/// Players in values: alone, in lists, and as the keys of dictionaries.
@Suite struct PlayerIDValueTests {
  private struct Scores: Codable, Equatable {
    var leader: PlayerID
    var points: [PlayerID: Int]
  }

  @Test func thereAndBack() throws {
    let (ada, ben) = (PlayerKey.generate().id, PlayerKey.generate().id)
    let scores = Scores(leader: ada, points: [ada: 3, ben: 1])
    let value = try Value(encoding: scores)
    #expect(value["leader"]?.text == ada.description)
    #expect(value["points"]?[ben.description]?.int == 1)
    #expect(try value.decode(Scores.self) == scores)
    #expect(try CBOR.decode([PlayerID].self, from: CBOR.encode([ada, ben])) == [ada, ben])
  }

  @Test func whatIsNoPlayerIsRefused() {
    for text in ["", "rk1", "Ada"] as [Value] {
      #expect(throws: DecodingError.self) { try text.decode(PlayerID.self) }
      #expect(throws: (any Error).self) { try Value.dictionary([text: 1]).decode([PlayerID: Int].self) }
    }
  }
}
