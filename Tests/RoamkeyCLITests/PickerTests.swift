import Roamkey
import RoamkeySimulator
import Testing

@testable import RoamkeyCLI
@testable import RoamkeyTerminal

/// What is selected, and what each key does.
@Suite struct PickerTests {
  private let ada = found("Ada's room", 1)
  private let ben = found("Ben", 2)
  private let cy = found("Cy", 3)

  private func picker(_ servers: [FoundServer], rows: Int = 24) -> Picker {
    var picker = Picker(application: "roamkey/1", size: TerminalSize(columns: 80, rows: rows))
    picker.update(servers)
    return picker
  }

  @Test func theFirstThatIsFoundIsSelectedAndEnterJoinsIt() {
    var picker = picker([])
    #expect(picker.press(.enter) == nil)
    picker.update([ada, ben])
    #expect(picker.press(.enter) == .chosen(ada))
  }

  @Test func keysMoveWithinTheList() {
    var picker = picker([ada, ben, cy])
    let steps: [(Key, FoundServer)] = [
      (.down, ben), (.character("j"), cy), (.down, cy), (.up, ben), (.character("k"), ada), (.up, ada), (.end, cy),
      (.home, ada), (.character("G"), cy), (.character("g"), ada), (.pageDown, cy), (.pageUp, ada),
      (.character("x"), ada),
    ]
    for (key, server) in steps {
      #expect(picker.press(key) == nil)
      #expect(picker.selectedServer == server, "\(key)")
    }
  }

  @Test(arguments: [Key.escape, .interrupt, .character("q")]) func keysLeave(_ key: Key) {
    var (empty, full) = (picker([]), picker([ada]))
    #expect(empty.press(key) == .left)
    #expect(full.press(key) == .left)
  }

  @Test func theSelectionFollowsTheServerAndNotTheRow() {
    var picker = picker([ben, cy])
    _ = picker.press(.down)
    picker.update([ada, ben, cy])
    #expect(picker.press(.enter) == .chosen(cy))
    // Its players and its address may be others by then: what is joined is what was said last.
    let moved = found("Cy", 3, players: 9)
    picker.update([moved])
    #expect(picker.press(.enter) == .chosen(moved))
  }

  @Test func aServerThatHasGoneIsNotReplacedByItsNeighbour() {
    var picker = picker([ada, ben, cy])
    _ = picker.press(.down)
    picker.update([ada, cy])
    #expect(picker.press(.enter) == nil)
    #expect(picker.note == "That server does not answer any more.")
    // It comes back, and is selected still.
    picker.update([ada, ben, cy])
    #expect(picker.press(.enter) == .chosen(ben))
    // From where it stood the way goes on.
    picker.update([ada, cy])
    _ = picker.press(.down)
    #expect(picker.selectedServer == cy)
    #expect(picker.note == nil)
    picker.update([ada])
    _ = picker.press(.up)
    #expect(picker.selectedServer == ada)
    picker.update([])
    _ = picker.press(.down)
    #expect(picker.press(.enter) == nil)
  }

  @Test func aFullServerIsTriedOnlyWhenEnterIsPressedTwice() {
    let full = found("Full", 4, players: 16)
    var picker = picker([ada, full])
    _ = picker.press(.down)
    #expect(picker.press(.enter) == nil)
    #expect(picker.note == "Full is full. Enter again to try all the same.")
    #expect(picker.press(.enter) == .chosen(full))
    // What was said of one counts for that one only.
    _ = picker.press(.up)
    _ = picker.press(.down)
    #expect(picker.press(.enter) == nil)
  }

  /// Whatever is done with it: the lines fit, and the selected server is on the screen.
  @Test(arguments: [1, 2, 3] as [UInt64]) func anythingFits(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var picker = picker([])
    let keys: [Key] = [.up, .down, .pageUp, .pageDown, .home, .end, .character("j")]
    let names = [
      "Ada", "日本語のサーバー", "👩‍👩‍👧‍👦 family", "e\u{301}\u{302}\u{303}", "\u{1b}[2J\n", "", "A very long name indeed, it is",
    ]
    for step in 0..<3000 {
      switch Int.random(in: 0..<4, using: &random) {
      case 0:
        let size = TerminalSize(
          columns: Int.random(in: 0...130, using: &random), rows: Int.random(in: 0...40, using: &random))
        picker.resize(size)
      case 1:
        let numbers = (0..<UInt8.random(in: 0...60, using: &random)).shuffled(using: &random)
        picker.update(
          numbers.map { found(names[Int($0) % names.count], $0, players: .random(in: 0...40, using: &random)) })
      default: _ = keys.randomElement(using: &random).map { picker.press($0) }
      }
      let lines = picker.screen
      let situation = Comment(rawValue: "seed \(seed), step \(step), \(picker.size)")
      #expect(lines.count <= picker.size.rows, situation)
      #expect(lines.allSatisfy { DisplayWidth.of($0.text) <= picker.size.columns }, situation)
      #expect(lines.allSatisfy { $0.text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control } })
      if picker.selectedServer != nil, picker.visibleRows > 0 {
        #expect(lines.filter { $0.style == .selected }.count == 1, situation)
      }
    }
  }
}

/// A server whose id is made of one byte.
func found(
  _ name: String?, _ id: UInt8, players: Int = 3, capacity: Int = 16, roundTrip: Duration? = .microseconds(420),
  application: String = "roamkey/1"
) -> FoundServer {
  FoundServer(
    id: PlayerID(publicKey: Digest([UInt8](repeating: id, count: 32).span.bytes)), name: name, application: application,
    address: NetworkAddress(ipv4: 192, 168, 1, id, port: 7447), players: players, capacity: capacity,
    roundTrip: roundTrip)
}
