import Roamkey
import Testing

@testable import RoamkeyCLI
@testable import RoamkeyTerminal

/// What the picker looks like, line by line.
@Suite struct PickerScreenTests {
  private func text(_ picker: Picker) -> [String] { picker.screen.map(\.text) }

  private func picker(
    _ servers: [FoundServer], columns: Int = 80, rows: Int = 10, application: String? = "roamkey/1"
  ) -> Picker {
    var picker = Picker(application: application, size: TerminalSize(columns: columns, rows: rows))
    picker.update(servers)
    return picker
  }

  private let three = [
    found("Ada's room", 1), found("日本語のとても長い名前のサーバー", 2, players: 16, roundTrip: .milliseconds(12)),
    found(nil, 3, players: 0, capacity: 8, roundTrip: nil),
  ]

  @Test func threeServers() {
    #expect(
      text(picker(three)) == [
        "Servers on this network",
        "",
        "  NAME                    PLAYERS      PING  FINGERPRINT",
        "> Ada's room                 3/16    0.4 ms  junok-solap-kazof-vibin-pujoj-pilof",
        "  日本語のとても長い…  16/16 full     12 ms  mufot-johob-mofaz-likan-fatin-movol",
        "  (no name)                   0/8            bapur-pugun-jogiv-mufov-riraf-jomuz",
        "",
        "192.168.1.1:7447  new to you: compare fingerprints",
        "Enter: join   ↑ ↓: choose   q: leave",
      ])
  }

  @Test func whereItIsNarrowColumnsAreLeftOut() {
    #expect(
      text(picker(three, columns: 60)) == [
        "Servers on this network",
        "",
        "  NAME                                 PLAYERS      PING",
        "> Ada's room                              3/16    0.4 ms",
        "  日本語のとても長い名前のサーバー  16/16 full     12 ms",
        "  (no name)                                0/8          ",
        "",
        "junok-solap-kazof-vibin-pujoj-pilof  new to you: compare fi…",
        "Enter: join   ↑ ↓: choose   q: leave",
      ])
    #expect(
      text(picker(three, columns: 20, rows: 6)) == [
        "Servers on this net…",
        "> Ada's room        ",
        "  日本語のとても長… ",
        "  (no name)         ",
        "junok-solap-kazof-v…",
        "Enter: join   ↑ ↓: …",
      ])
  }

  @Test func anyApplicationIsSaidOfEach() {
    let servers = [found("Ada's room", 1), found("Ships", 2, application: "galaxy/1")]
    #expect(
      text(picker(servers, columns: 100, application: nil)) == [
        "Servers on this network",
        "",
        "  NAME                          PLAYERS      PING  APPLICATION   FINGERPRINT",
        "> Ada's room                       3/16    0.4 ms  roamkey/1     junok-solap-kazof-vibin-pujoj-pilof",
        "  Ships                            3/16    0.4 ms  galaxy/1      mufot-johob-mofaz-likan-fatin-movol",
        "",
        "192.168.1.1:7447  new to you: compare fingerprints",
        "Enter: join   ↑ ↓: choose   q: leave",
      ])
  }

  @Test func theListRolls() {
    var picker = picker((1...9).map { found("Room \($0)", $0) }, columns: 45)
    #expect(
      text(picker) == [
        "Servers on this network (1 to 4 of 9)",
        "",
        "  NAME                      PLAYERS      PING",
        "> Room 1                       3/16    0.4 ms",
        "  Room 2                       3/16    0.4 ms",
        "  Room 3                       3/16    0.4 ms",
        "  Room 4                       3/16    0.4 ms",
        "",
        "junok-solap-kazof-vibin-pujoj-pilof  new to …",
        "Enter: join   ↑ ↓: choose   q: leave",
      ])
    for _ in 0..<5 { _ = picker.press(.down) }
    #expect(
      text(picker) == [
        "Servers on this network (3 to 6 of 9)",
        "",
        "  NAME                      PLAYERS      PING",
        "  Room 3                       3/16    0.4 ms",
        "  Room 4                       3/16    0.4 ms",
        "  Room 5                       3/16    0.4 ms",
        "> Room 6                       3/16    0.4 ms",
        "",
        "jamim-zafah-vosuf-dimid-bupij-lakub  new to …",
        "Enter: join   ↑ ↓: choose   q: leave",
      ])
    picker.resize(TerminalSize(columns: 45, rows: 5))
    #expect(
      text(picker) == [
        "Servers on this network (5 to 6 of 9)",
        "  Room 5                       3/16    0.4 ms",
        "> Room 6                       3/16    0.4 ms",
        "jamim-zafah-vosuf-dimid-bupij-lakub  new to …",
        "Enter: join   ↑ ↓: choose   q: leave",
      ])
    picker.resize(TerminalSize(columns: 45, rows: 3))
    #expect(
      text(picker) == [
        "  Room 5                       3/16    0.4 ms",
        "> Room 6                       3/16    0.4 ms",
        "  Room 7                       3/16    0.4 ms",
      ])
  }

  @Test func anEmptyListSaysWhatToTry() {
    #expect(
      text(picker([], rows: 24)) == [
        "Servers on this network",
        "",
        "  Looking for servers of roamkey/1 ... none has answered yet.",
        "",
        "  To host one, on any machine of this network:",
        "    roamkey serve --name \"My room\"",
        "  One elsewhere is joined by its address:",
        "    roamkey connect host:7447",
        "",
        "q: leave",
      ])
    #expect(
      text(picker([], rows: 24, application: "galaxy/1"))[5] == "    roamkey serve --app galaxy/1 --name \"My room\"")
    #expect(text(picker([], columns: 30, rows: 3))[2] == "  Looking for servers of roam…")
  }

  @Test func anotherProgramGivesItsOwnAdvice() {
    var picker = picker([], rows: 24, application: "planets/1")
    picker.advice = ["To host one:", "  planets host"]
    #expect(text(picker).suffix(4) == ["  To host one:", "    planets host", "", "q: leave"])
  }

  @Test func whatIsKnownOfAServerIsSaid() {
    var picker = picker([three[0]])
    let said: [(Picker.Acquaintance, String)] = [
      (.new, "192.168.1.1:7447  new to you: compare fingerprints"), (.known, "192.168.1.1:7447  met before"),
      (.changed, "192.168.1.1:7447  NOT THE KEY THAT THIS NAME HAD BEFORE"),
    ]
    for (acquaintance, line) in said {
      picker.update([three[0]], acquaintances: [three[0].id: acquaintance])
      #expect(text(picker).suffix(2).first == line)
    }
  }

  @Test(arguments: [
    ("\u{1b}[2J\u{7}Ada\r\n\u{202e}x", "[2JAdax"), ("  a \t  b ", "a b"), ("\u{200b}\u{2060}", ""), ("\u{301}", ""),
    ("At\u{200c}tic", "Attic"), ("A\u{fe0f}ttic\u{e0041}", "Attic"), ("\u{903}Attic", "Attic"),
    ("The\u{2800}attic", "The attic"),
    ("e" + String(repeating: "\u{301}", count: 60), "e" + String(repeating: "\u{301}", count: 3)),
    ("👩‍👩‍👧‍👦", "👩‍👩‍👧‍👦"),
  ])
  func hostileNamesAreHarmless(_ name: String, _ label: String) {
    #expect(Array(Console.label(name).unicodeScalars) == Array(label.unicodeScalars))
  }

  @Test(arguments: [
    ("abc", 3), ("größe", 5), ("gro\u{308}ße", 5), ("日本", 4), ("한국", 4), ("👩‍👩‍👧‍👦", 2), ("🇩🇪", 2), ("❤️", 2), ("❤", 1),
    ("\u{200b}", 0), ("ｗ", 2), ("", 0),
  ])
  func columnsOfATerminal(_ text: String, _ width: Int) { #expect(DisplayWidth.of(text) == width) }

  @Test func textsAreCutAtColumns() {
    #expect(DisplayWidth.cut("日本語", to: 6) == "日本語")
    #expect(DisplayWidth.cut("日本語", to: 5) == "日本…")
    #expect(DisplayWidth.cut("日本語", to: 4) == "日…")
    #expect(DisplayWidth.fill("日本語", to: 4) == "日… ")
    #expect(DisplayWidth.fill("ab", to: 4, right: true) == "  ab")
    #expect(DisplayWidth.cut("ab", to: 1) == "…")
    #expect(DisplayWidth.cut("ab", to: 0) == "")
    #expect(DisplayWidth.fill("ab", to: -3) == "")
  }
}
