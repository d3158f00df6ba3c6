import Planets
import RoamkeyTerminal
import Testing

@testable import PlanetsTerminal

@Suite struct CanvasTests {
  @Test func textIsCutAtTheEdges() {
    var canvas = Canvas(columns: 6, rows: 2)
    canvas.write("abc", -1, 0)
    canvas.write("xyz", 4, 0)
    canvas.write("no", 0, 2)
    canvas.write("no", 0, -1)
    #expect(canvas.line(0) == "bc  xy")
    #expect(canvas.line(1) == "      ")
  }

  @Test func wideCharactersAreWholeOrNotThere() {
    var canvas = Canvas(columns: 5, rows: 1)
    canvas.write("日本語", 0, 0)
    #expect(canvas.line(0) == "日本 ")
    // Whatever is written over a half takes the other one away.
    canvas.write("x", 1, 0)
    #expect(canvas.line(0) == " x本 ")
    canvas.write("y", 2, 0)
    #expect(canvas.line(0) == " xy  ")
    canvas.write("語", 1, 0)
    #expect(canvas.line(0) == " 語  ")
    canvas.write("語", 2, 0)
    #expect(canvas.line(0) == "  語 ")
    canvas.write("語", -1, 0)
    #expect(canvas.line(0) == "  語 ")
  }

  @Test func aTowerOfMarksIsItsFirstLetter() {
    var canvas = Canvas(columns: 8, rows: 1)
    canvas.write("a" + String(repeating: "\u{301}", count: 60) + "b👩‍👩‍👧‍👦é", 0, 0)
    #expect(canvas.line(0) == "ab👩‍👩‍👧‍👦é   ")
  }

  @Test func twoPixelsAreACell() {
    var canvas = Canvas(columns: 2, rows: 1, ground: Colour(0, 0, 0))
    canvas.paint(0, 0, .bright)
    canvas.paint(5, 5, .bright)
    canvas.paint(-1, 0, .bright)
    #expect(canvas.cell(0, 0) == Cell(character: "▀", foreground: .bright, background: Colour(0, 0, 0)))
    #expect(canvas.cell(1, 0).character == " ")
    #expect(canvas.line(0, .none) == "▀ ")
    canvas.paint(1, 1, .bright)
    #expect(canvas.line(0, .none) == "▀▄")
    canvas.paint(1, 0, .bright)
    #expect(canvas.line(0, .none) == "▀█")
    canvas.paint(0, 1, .bright, 0.5)
    #expect(canvas.pixel(0, 1) == Colour(128, 128, 128))
  }
}

@Suite struct FrameWriterTests {
  private let words = ["Ada", "日本語", "größe", "A42?", "👩‍👩‍👧‍👦", "e\u{301}", "→", "▀▀", "[B7]", " "]

  private func draw(_ random: inout SeededGenerator, _ canvas: inout Canvas) {
    for _ in 0..<Int.random(in: 0...12, using: &random) {
      let colour = Colour.seat(.random(in: 0...6, using: &random))
      let (x, y) = (
        Int.random(in: -2...canvas.columns, using: &random), Int.random(in: -1...canvas.rows, using: &random)
      )
      switch Int.random(in: 0...3, using: &random) {
      case 0: canvas.paint(x, y, colour, Double.random(in: 0...1, using: &random))
      case 1: canvas.fill(columns: x..<x + 4, rows: y..<y + 2, colour)
      default:
        let style = Canvas.Style(
          colour, on: Bool.random(using: &random) ? .panel : nil, isBold: .random(using: &random))
        canvas.write(words.randomElement(using: &random) ?? "", x, y, style)
      }
    }
  }

  /// A terminal that is told only differences shows what one shows that is told everything, and that is the picture.
  @Test(arguments: ColourDepth.allCases) func differencesMakeTheWhole(_ depth: ColourDepth) {
    for seed in 1...8 as ClosedRange<UInt64> {
      var random = SeededGenerator(seed: seed)
      var writer = FrameWriter(depth: depth)
      var canvas = Canvas(columns: 30, rows: 8)
      var screen = VirtualScreen(columns: 30, rows: 8)
      for frame in 0..<20 {
        draw(&random, &canvas)
        screen.feed(writer.bytes(for: canvas))
        var whole = FrameWriter(depth: depth)
        var fresh = VirtualScreen(columns: 30, rows: 8)
        fresh.feed(whole.bytes(for: canvas))
        #expect(screen.mistakes == [], "seed \(seed), frame \(frame)")
        for row in 0..<canvas.rows {
          let shown = screen.spots[row]
          #expect(shown.map(\.background) == fresh.spots[row].map(\.background), "seed \(seed), frame \(frame)")
          #expect(String(shown.compactMap(\.character)) == canvas.line(row, depth), "seed \(seed), frame \(frame)")
          // The colour of a space is nobody's affair.
          for (one, other) in zip(shown, fresh.spots[row]) where one.character != " " {
            #expect(one.foreground == other.foreground && one.isBold == other.isBold, "seed \(seed), frame \(frame)")
          }
        }
      }
    }
  }

  @Test func whatStaysIsNotSaidAgain() {
    var writer = FrameWriter(depth: .full)
    var canvas = Canvas(columns: 80, rows: 24)
    canvas.write("Ada", 3, 3)
    let whole = writer.bytes(for: canvas)
    #expect(whole.count > 24 * 80)
    #expect(writer.bytes(for: canvas) == [])
    canvas.write("Ben", 3, 3)
    let difference = writer.bytes(for: canvas)
    #expect((1..<100).contains(difference.count))
    #expect(String(decoding: difference, as: UTF8.self).hasPrefix("\u{1b}[?2026h"))
    #expect(String(decoding: difference, as: UTF8.self).hasSuffix("\u{1b}[?2026l"))
    writer.forget()
    #expect(writer.bytes(for: canvas).count > 24 * 80)
    // Another size is another picture.
    #expect(writer.bytes(for: Canvas(columns: 40, rows: 48)).count > 24 * 80)
  }

  @Test func withoutColoursNoneIsSaid() {
    var writer = FrameWriter(depth: .none)
    var canvas = Canvas(columns: 10, rows: 2)
    canvas.write("Ada", 0, 0, Canvas.Style(.bright, on: .panel, isBold: true))
    let text = String(decoding: writer.bytes(for: canvas), as: UTF8.self)
    #expect(!text.contains("38;"))
    #expect(!text.contains("48;"))
    #expect(text.contains("Ada"))
  }
}

@Suite struct ColourTests {
  @Test(arguments: [
    (["TERM": "xterm-256color", "COLORTERM": "truecolor"], ColourDepth.full),
    (["TERM": "xterm-256color", "COLORTERM": "24bit"], .full), (["TERM": "xterm-direct"], .full),
    (["TERM": "xterm-256color"], .indexed), (["TERM": "screen-256color", "COLORTERM": ""], .indexed),
    (["TERM": "xterm"], .sixteen), (["TERM": "linux"], .sixteen), ([:], .sixteen), (["TERM": "vt100-m"], .none),
    (["TERM": "dumb"], .none), (["TERM": "xterm-256color", "COLORTERM": "truecolor", "NO_COLOR": "1"], .none),
    (["TERM": "xterm-256color", "NO_COLOR": ""], .indexed),
  ])
  func whatTheEnvironmentSays(_ environment: [String: String], _ depth: ColourDepth) {
    #expect(ColourDepth { environment[$0] } == depth)
  }

  @Test func coloursOfEachDepth() {
    #expect(ColourDepth.full.parameters(Colour(1, 2, 3), isBackground: false) == "38;2;1;2;3")
    #expect(ColourDepth.indexed.parameters(Colour(255, 0, 0), isBackground: true) == "48;5;196")
    #expect(ColourDepth.indexed.parameters(Colour(128, 128, 128), isBackground: false) == "38;5;244")
    #expect(ColourDepth.sixteen.parameters(Colour(255, 0, 0), isBackground: false) == "91")
    #expect(ColourDepth.sixteen.parameters(Colour(0, 0, 0), isBackground: true) == "40")
    #expect(ColourDepth.none.parameters(Colour(1, 2, 3), isBackground: false) == "")
  }

  /// The seats are told apart at each depth, where there are colours at all.
  @Test(arguments: [ColourDepth.full, .indexed, .sixteen]) func seatsDiffer(_ depth: ColourDepth) {
    let all = (Colour.seats + [.neutral]).map { depth.parameters($0, isBackground: false) }
    #expect(Set(all).count == all.count)
  }

  /// What lies below the planets is no brighter than space where there are few colours.
  @Test func groundsAreBlackOfSixteen() {
    for ground in [Colour.space, .panel] + Colour.seats.map({ Colour.space.mixed(with: $0, 0.13) }) {
      #expect(ColourDepth.sixteen.parameters(ground, isBackground: true) == "40")
    }
  }

  @Test func anyMixIsAColour() {
    for share in [-1, 0, 0.3, 1, 7, .infinity, -.infinity] as [Double] {
      _ = Colour.bright.mixed(with: .space, share)
    }
    #expect(Colour.bright.mixed(with: .space, 9) == .space)
  }
}
