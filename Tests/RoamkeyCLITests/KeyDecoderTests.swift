import RoamkeySimulator
import Testing

@testable import RoamkeyCLI
@testable import RoamkeyTerminal

/// Keys from the bytes that terminals send.
@Suite struct KeyDecoderTests {
  private func keys(_ text: String, waits: Bool = false) -> [Key] {
    var decoder = KeyDecoder()
    let keys = text.utf8.compactMap { decoder.decode($0) }
    #expect(decoder.isWaiting == waits)
    return keys
  }

  @Test(arguments: [
    ("\u{1b}[A", Key.up), ("\u{1b}OA", .up), ("\u{10}", .up), ("\u{1b}[B", .down), ("\u{1b}OB", .down),
    ("\u{e}", .down),
    ("\u{1b}[1;5B", .down), ("\u{1b}[H", .home), ("\u{1b}OH", .home), ("\u{1b}[1~", .home), ("\u{1b}[7~", .home),
    ("\u{1b}[F", .end), ("\u{1b}OF", .end), ("\u{1b}[4~", .end), ("\u{1b}[8~", .end), ("\u{1b}[5~", .pageUp),
    ("\u{1b}[6~", .pageDown), ("\u{1b}[6;2~", .pageDown), ("\r", .enter), ("\n", .enter), ("\u{1b}OM", .enter),
    ("\u{1b}[C", .right), ("\u{1b}OD", .left), ("\t", .tab), ("\u{1b}[Z", .backTab), ("\u{7f}", .backspace),
    ("\u{8}", .backspace), ("\u{1b}[3~", .delete), ("ö", .character("ö")), ("日", .character("日")),
    ("🚀", .character("🚀")), ("\u{3}", .interrupt), ("\u{1a}", .suspend), ("j", .character("j")), ("~", .character("~")),
  ])
  func oneKey(_ bytes: String, _ key: Key) { #expect(keys(bytes) == [key]) }

  @Test(arguments: [
    "\u{1b}OP", "\u{1b}[15~", "\u{1b}[200~", "\u{1b}j", "\u{0}", "\u{202e}", "\u{9b}", "\u{2028}",
    // A mouse that says nothing, or nothing that can be: no place, too many places, far away, an unknown button.
    "\u{1b}[<M", "\u{1b}[<0;1M", "\u{1b}[<0;0;1M", "\u{1b}[<0;1;1;1M", "\u{1b}[<0;10000;1M", "\u{1b}[<;;M",
    "\u{1b}[<-1;1;1M", "\u{1b}[<0;1;99999999999999999999M", "\u{1b}[<35;1;1M", "\u{1b}[<66;1;1M", "\u{1b}[0;1;1M",
    // Reports as they were before: three bytes that could be keys.
    "\u{1b}[Mqqq", "\u{1b}[M !!",
  ])
  func whatMeansNothing(_ bytes: String) { #expect(keys(bytes + "q") == [.character("q")]) }

  @Test func escapeAloneIsToldByTime() {
    var decoder = KeyDecoder()
    #expect(decoder.decode(0x1b) == nil)
    #expect(decoder.isWaiting)
    #expect(decoder.timeOut() == .escape)
    #expect(!decoder.isWaiting)
    #expect(decoder.timeOut() == nil)
    // Half a sequence is no key, whatever it was.
    for byte in "\u{1b}[5".utf8 { #expect(decoder.decode(byte) == nil) }
    #expect(decoder.timeOut() == nil)
    #expect(decoder.decode(UInt8(ascii: "q")) == .character("q"))
  }

  @Test func twoEscapesAreOneAndABeginning() {
    #expect(keys("\u{1b}\u{1b}", waits: true) == [.escape])
    #expect(keys("\u{1b}\u{1b}[A") == [.escape, .up])
  }

  @Test func aSequenceEndsWhereverItIsBroken() {
    #expect(keys("\u{1b}[1\u{1b}[A") == [.up])
    #expect(keys("\u{1b}[\u{3}") == [.interrupt])
    #expect(keys("\u{1b}[" + String(repeating: "9", count: 5000) + "~q") == [.character("q")])
    // What was cut off does not turn it into another key.
    #expect(keys("\u{1b}[5" + String(repeating: ";", count: 5000) + "A") == [.up])
  }

  @Test(arguments: [
    ("<0;1;1M", Mouse(.press(.left), column: 0, row: 0)), ("<0;80;24m", Mouse(.release(.left), column: 79, row: 23)),
    ("<2;9;1M", Mouse(.press(.right), column: 8, row: 0)), ("<1;9;1M", Mouse(.press(.middle), column: 8, row: 0)),
    ("<32;3;4M", Mouse(.drag(.left), column: 2, row: 3)), ("<34;3;4M", Mouse(.drag(.right), column: 2, row: 3)),
    ("<64;1;1M", Mouse(.wheelUp, column: 0, row: 0)), ("<65;1;1M", Mouse(.wheelDown, column: 0, row: 0)),
    ("<4;1;1M", Mouse(.press(.left), column: 0, row: 0, isModified: true)),
    ("<16;9999;9999M", Mouse(.press(.left), column: 9998, row: 9998, isModified: true)),
  ])
  func theMouse(_ report: String, _ mouse: Mouse) { #expect(keys("\u{1b}[" + report) == [.mouse(mouse)]) }

  @Test func aReportThatIsCutUpIsReadAllTheSame() {
    var decoder = KeyDecoder()
    var found: [Key] = []
    for byte in "\u{1b}[<0;12;5Mq\u{1b}[<0;12;5m".utf8 {
      // What a time limit would do between two bytes of a report: nothing is taken for a key.
      if let key = decoder.decode(byte) { found.append(key) }
    }
    #expect(
      found == [
        .mouse(Mouse(.press(.left), column: 11, row: 4)), .character("q"),
        .mouse(Mouse(.release(.left), column: 11, row: 4)),
      ])
    for byte in "\u{1b}[<0;1".utf8 { #expect(decoder.decode(byte) == nil) }
    #expect(decoder.timeOut() == nil)
    #expect(!decoder.isWaiting)
  }

  @Test func aCharacterThatIsCutOffIsNone() {
    #expect(keys("\u{3}ö") == [.interrupt, .character("ö")])
    var decoder = KeyDecoder()
    for byte in [0xe6, 0x97] as [UInt8] { #expect(decoder.decode(byte) == nil) }
    #expect(decoder.decode(UInt8(ascii: "q")) == .character("q"))
    // Overlong, a surrogate, beyond Unicode, bare continuations.
    for bytes in [[0xc0, 0xaf], [0xe0, 0x80, 0x80], [0xed, 0xa0, 0x80], [0xf5, 0x80], [0x80, 0xbf], [0xff]] as [[UInt8]]
    {
      #expect(bytes.compactMap { decoder.decode($0) } == [])
    }
    #expect(decoder.decode(UInt8(ascii: "q")) == .character("q"))
  }

  /// Whatever comes: it does not trap, and after a moment of silence a key is a key.
  @Test(arguments: [1, 2, 3] as [UInt64]) func anyBytes(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var decoder = KeyDecoder()
    let bytes = Array("\u{1b}\u{1b}[[<<;0123456789MmAO~ö日\u{3}".utf8)
    for _ in 0..<20_000 {
      _ = decoder.decode(
        Bool.random(using: &random) ? .random(in: 0...255, using: &random) : bytes.randomElement(using: &random) ?? 0)
      if Int.random(in: 0..<40, using: &random) == 0 {
        _ = decoder.timeOut()
        #expect(decoder.decode(UInt8(ascii: "q")) == .character("q"), "seed \(seed)")
      }
    }
  }
}
