import RoamkeyWire
import Testing

/// Names as people see them (PROTOCOL §7).
@Suite struct DisplayTextTests {
  @Test(arguments: [
    ("Ada", "Ada"), ("  Ada Lovelace ", "Ada Lovelace"), ("Ада", "Ада"), ("élan", "élan"),
    // Emoji keep together, with the invisible joiners that they need.
    ("👩‍🚀", "👩‍🚀"), ("❤️", "❤️"),
    // Nobody looks like Ada by characters that nobody sees.
    ("A\u{200b}d\u{ad}a\u{feff}", "Ada"), ("Ada\u{e0041}", "Ada"), ("\u{202e}adA", "adA"), ("A\u{1b}[2Jda\n", "A[2Jda"),
    ("A\u{200d}da\u{fe0f}", "Ada"), ("\u{200d}Ada\u{200d}", "Ada"), ("👩\u{200d}\u{200d}🚀\u{200d}", "👩\u{200d}🚀"),
    ("क्\u{200d}ष", "क्\u{200d}ष"),
    // Marks do not leave their line.
    ("e\u{301}\u{301}\u{301}\u{301}\u{301}", "e\u{301}\u{301}\u{301}"), ("\u{301} \u{489}Ada", "Ada"),
    ("\u{903}Ada", "Ada"),
  ])
  func harmless(_ said: String, _ shown: String) {
    #expect(DisplayText.name(said) == shown)
  }

  @Test(arguments: [
    ("Hello, größe!", "Hello, größe!"), ("a\nb\tc", "a b c"), ("a\u{2028}b\u{85}c", "a b c"),
    ("a\u{1b}[2Jb\u{202e}c\u{7}", "a[2Jbc"), ("👩‍🚀", "👩‍🚀"), ("\u{1b}\u{9b}", ""), ("", ""),
  ])
  func oneLine(_ said: String, _ shown: String) {
    #expect(DisplayText.line(said) == shown)
    #expect(DisplayText.isClean(DisplayText.line(said)))
  }

  @Test(arguments: ["", " ", "\u{200b}", "\u{200d}\u{fe0f}", " \u{2800}\u{3000}", "\u{7}", "\u{301}"])
  func nothingToSee(_ said: String) {
    #expect(DisplayText.name(said) == nil)
  }
}
