import RoamkeyCrypto

extension FuzzTargets {
  /// Hand-overs: files of anybody, statements whose signatures are right and then perhaps altered, and who is whom after
  /// many of them.
  static let handovers = FuzzTarget(
    "handovers", longestInput: 700,
    milestones: ["read", "several", "forged", "altered", "damaged", "chain", "contradiction", "circle"]
  ) { input, reached in
    let mode = input.byte()
    switch mode & 3 {
    case 0: read(input.rest(), &reached)
    case 1: read(FuzzPEM.frame("ROAMKEY HANDOVER", input.rest()), &reached)
    case 2:
      // Right, and with one bit that is not.
      let time = UInt64(input.int16()) << UInt64(mode >> 2)
      let place = input.int16()
      guard let right = try? FuzzKeys.make(.server).handOver(to: FuzzKeys.make(.client), time: time) else {
        preconditionFailure("a key cannot hand over")
      }
      read(Array(input.take(40)) + [10] + Array(right.text.utf8) + Array(right.text.utf8), &reached)
      var bytes = right.bytes
      bytes[place % bytes.count] ^= UInt8(1) << UInt8(place >> 8 & 7)
      precondition((try? Handover(bytes)) == nil, "an altered hand-over is genuine")
      reached.reach(3)
    default: accept(&input, &reached)
    }
  }

  private static func read(_ text: [UInt8], _ reached: inout Milestones) {
    do throws(HandoverError) {
      let found = try Handover.all(in: String(decoding: text, as: UTF8.self))
      precondition(!found.isEmpty && found.allSatisfy { $0.old != $0.new }, "what is none was read")
      reached.reach(0)
      if found.count > 1 { reached.reach(1) }
      let again = try? Handover.all(in: found.map(\.text).joined())
      precondition(again == found, "what was written is read as something else")
    } catch {
      precondition(!error.description.isEmpty, "an error without words")
      switch error {
      case .forged: reached.reach(2)
      case .damaged: reached.reach(4)
      default: break
      }
    }
  }

  /// Eight players, and a list of which hands over to which; a simple list beside says who has to be whom.
  private static func accept(_ input: inout FuzzInput, _ reached: inout Milestones) {
    let ids = (0..<8).map { PlayerID(publicKey: Digest([UInt8](repeating: $0, count: Digest.size))) }
    var handovers = Handovers()
    var next = [Int?](repeating: nil, count: ids.count)
    func last(_ place: Int) -> (place: Int, steps: Int) {
      var (place, steps) = (place, 0)
      while let onward = next[place] { (place, steps) = (onward, steps + 1) }
      return (place, steps)
    }
    while !input.isEmpty {
      let order = Int(input.byte())
      let (old, new) = (order & 7, order >> 3 & 7)
      do throws(HandoverError) {
        let isNews = try handovers.accept(ids[old], ids[new])
        precondition(isNews == (next[old] == nil), "news that are none")
        precondition(next[old] == nil || next[old] == new, "a second hand-over was accepted")
        next[old] = new
      } catch .contradiction(ids[old], let accepted, ids[new]) {
        precondition(next[old].map { ids[$0] } == accepted && accepted != ids[new], "a contradiction that is none")
        reached.reach(6)
      } catch .circle {
        precondition(next[old] == nil && last(new).place == old, "a circle that is none")
        reached.reach(7)
      } catch {
        preconditionFailure("another error: \(error)")
      }
      for place in ids.indices {
        let end = last(place)
        precondition(handovers.current(ids[place]) == ids[end.place], "another end of the chain")
        if end.steps >= 3 { reached.reach(5) }
      }
    }
  }
}
