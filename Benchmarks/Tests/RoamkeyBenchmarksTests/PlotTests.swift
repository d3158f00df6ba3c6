import Testing

@testable import RoamkeyBenchmarks

/// Axes, series and the picture made of them.
struct PlotTests {
  private var series: Series {
    var series = Series(title: "a < b & c", xTitle: "sessions", yTitle: "us")
    for (x, y) in [(10.0, 2.0), (100, 3), (1000, 4)] {
      series.add(.init(x: x, y: y), of: .enet)
      series.add(.init(x: x, y: y * 2), of: .sealed)
    }
    return series
  }

  @Test func anAxisEndsAtPowersOfTen() throws {
    let axis = try #require(Axis([16, 65_536]))
    #expect(axis.low == 10)
    #expect(axis.high == 100_000)
    #expect(axis.ticks.count == 5)
    #expect(axis.place(10) == 0)
    #expect(abs(axis.place(100_000) - 1) < 1e-9)
    #expect(abs(axis.place(1000) - 0.5) < 1e-9)
  }

  @Test func anAxisOfOneValueHasALength() throws {
    let axis = try #require(Axis([100]))
    #expect(axis.low == 100)
    #expect(axis.high == 1000)
    #expect(Axis([]) == nil)
    #expect(Axis([0, -1, .infinity]) == nil)
  }

  @Test(arguments: [(0.1, "0.1"), (1.0, "1"), (100, "100"), (1000, "1k"), (100_000, "100k")])
  func ticksAreShort(_ tick: Double, _ label: String) { #expect(Axis.label(tick) == label) }

  @Test func growthIsFromTheSmallestToTheGreatest() {
    #expect(series.growth(of: .enet) == 2)
    #expect(series.growth(of: .raw) == nil)
    var single = Series(title: "", xTitle: "", yTitle: "")
    single.add(.init(x: 1, y: 1), of: .enet)
    #expect(single.growth(of: .enet) == nil)
  }

  @Test func theTableHasALineForEachPlace() {
    var series = series
    series.add(.init(x: 10_000, y: 5), of: .sealed)
    let lines = series.table.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
    #expect(lines.contains("sessions ENet Roamkey sealed"))
    #expect(lines.contains("1000 4.00 8.00"))
    #expect(lines.contains("10000 - 5.00"))
  }

  @Test func aCostThatGrowsTooMuchIsTold() {
    #expect(ScaleCommand.checks(of: series).contains("MISSED"))
    var flat = Series(title: "", xTitle: "", yTitle: "")
    for x in [10.0, 1000] { flat.add(.init(x: x, y: 3), of: .signed) }
    #expect(ScaleCommand.checks(of: flat).contains("met"))
    #expect(!ScaleCommand.checks(of: flat).contains("MISSED"))
  }

  @Test func thePictureHasAllLinesPointsAndNames() {
    let svg = Plot(series: [series, series], note: "loopback").svg
    #expect(svg.count(of: "<polyline ") == 4)
    #expect(svg.count(of: "<circle ") == 12)
    #expect(svg.contains("a &lt; b &amp; c"))
    #expect(!svg.contains("a < b"))
    #expect(svg.contains(">loopback</text>"))
    #expect(svg.contains(">ENet</text>"))
    #expect(svg.contains(">Roamkey sealed</text>"))
    #expect(!svg.contains(">raw UDP</text>"))
    #expect(!svg.contains("nan") && !svg.contains("inf"))
    #expect(svg.count(of: "<g ") == svg.count(of: "</g>"))
    #expect(svg.count(of: "<text ") == svg.count(of: "</text>"))
  }

  @Test func withoutFiguresItSaysSo() {
    let empty = Series(title: "nothing", xTitle: "", yTitle: "")
    #expect(Plot(series: [empty], note: "").svg.contains("no figures"))
  }
}

extension String {
  fileprivate func count(of part: String) -> Int { ranges(of: part).count }
}
