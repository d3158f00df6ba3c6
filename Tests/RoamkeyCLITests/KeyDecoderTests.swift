import Testing

@testable import RoamkeyCLI

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
    ("\u{3}", .interrupt), ("\u{1a}", .suspend), ("j", .character("j")), ("~", .character("~")),
  ])
  func oneKey(_ bytes: String, _ key: Key) { #expect(keys(bytes) == [key]) }

  @Test(arguments: [
    "\u{1b}[C", "\u{1b}OP", "\u{1b}[15~", "\u{1b}[200~", "\u{1b}[<0;1;1m", "\u{1b}j", "ö", "\u{0}", "\u{7f}",
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
}
