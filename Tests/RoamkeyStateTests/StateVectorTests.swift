import Foundation
import Testing

@testable import RoamkeyState

/// Rows of states as bytes (Tests/Vectors/state.json), which a reader in another language reads as well.
@Suite struct StateVectorTests {
  private struct Row: Decodable {
    var payload: String
    var base: Int
    var older: Int
    var distance: Int64
    var span: Int64

    var bytes: [UInt8] {
      let digits = Array(payload.utf8)
      return stride(from: 0, to: digits.count, by: 2).compactMap {
        UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)
      }
    }
  }

  @Test func statesAreReadAndWrittenAsTheyWere() throws {
    let file = URL(filePath: #filePath).appending(path: "../../Vectors/state.json").standardized
    let rows = try JSONDecoder().decode([[Row]].self, from: Data(contentsOf: file))
    #expect(rows.count == 50)
    for (index, row) in rows.enumerated() {
      var keys = KeyTable()
      var trees: [StateTree] = []
      for state in row {
        let base = state.base < 0 ? nil : trees[state.base]
        let older = state.older < 0 ? nil : trees[state.older]
        let tree = try StateCoding<RangeDecoder>.decode(
          state.bytes[...], .init(base: base, older: older, distance: state.distance, span: state.span), keys: &keys,
          limits: StateLimits())
        let again = StateCoding<RangeEncoder>.encode(
          tree, .init(base: base, older: older, distance: state.distance, span: state.span), keys: keys)
        #expect(again == state.bytes, "row \(index), state \(trees.count)")
        trees.append(tree)
      }
    }
  }
}
