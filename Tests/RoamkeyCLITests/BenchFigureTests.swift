import Roamkey
import Testing

@testable import RoamkeyCLI

/// What `bench` makes of what it has seen: arithmetic and words, without a network.
@Suite struct BenchFigureTests {
  // MARK: Times

  @Test func percentilesAreTimesThatWereMeasured() {
    let times = BenchTimes((1...200).reversed().map { .microseconds($0) })
    #expect(times[50] == .microseconds(100))
    #expect(times[99] == .microseconds(198))
    #expect(times[99.1] == .microseconds(199))
    #expect(times[0] == .microseconds(1))
    #expect(times[100] == .microseconds(200))
    #expect(times.maximum == .microseconds(200))
    #expect(times.named.map(\.name) == ["p50", "p99", "max"])
  }

  @Test func fewTimesOrNone() {
    let one = BenchTimes([.seconds(1)])
    #expect(one[1] == .seconds(1) && one[50] == .seconds(1) && one[99] == .seconds(1))
    #expect(one.named.map(\.name) == ["p50", "max"])
    let none = BenchTimes([])
    #expect(none[50] == nil && none.maximum == nil && none.named.isEmpty)
  }

  // MARK: Rates

  private let start = ContinuousClock.now

  /// Two marks, two seconds apart by the server's clock and four by ours.
  private func marks(_ change: (inout BenchReport) -> Void = { _ in }) -> (BenchMark, BenchMark) {
    var first = BenchReport()
    (first.messages, first.bytes, first.highest, first.lastArrival) = (100, 6400, 110, 1_000_000)
    (first.time, first.processor) = (1_100_000, 50_000)
    var last = BenchReport()
    (last.messages, last.bytes, last.highest, last.lastArrival) = (1100, 70_400, 1360, 3_000_000)
    (last.time, last.processor) = (3_100_000, 1_050_000)
    change(&last)
    return (
      BenchMark(report: first, time: start, processor: 10_000),
      BenchMark(report: last, time: start + .seconds(4), processor: 3_010_000)
    )
  }

  private func makeRate(_ change: (inout BenchReport) -> Void = { _ in }) -> BenchRate? {
    let (first, last) = marks(change)
    return BenchRate(first, last)
  }

  @Test func aRateIsWhatCameBetweenTwoMoments() throws {
    let rate = try #require(makeRate())
    #expect(rate.messages == 1000 && rate.seconds == 2)
    #expect(rate.messagesPerSecond == 500)
    #expect(rate.bytesPerSecond == 32_000)
    // 1250 were sent.
    #expect(rate.arrived == 0.8)
    #expect(rate.processorHere == 3000 && rate.processorThere == 1000)
    #expect(rate.coresHere == 0.75 && rate.coresThere == 0.5)
  }

  @Test func whereNothingCameThereIsNoRate() {
    #expect(makeRate { $0.messages = 100 } == nil)
    #expect(makeRate { $0.lastArrival = 1_000_000 } == nil)
  }

  /// What a server reports may be anything.
  @Test func nonsenseGivesNoRateAndTrapsNowhere() {
    #expect(makeRate { $0.messages = 0 } == nil)
    #expect(makeRate { $0.bytes = 0 } == nil)
    #expect(makeRate { $0.lastArrival = 0 } == nil)
    #expect(makeRate { $0.time = 0 } == nil)
    #expect(makeRate { $0.processor = 0 } == nil)
    // More than were sent.
    #expect(makeRate { $0.highest = 111 }?.arrived == 1)
    #expect(makeRate { $0.highest = 0 }?.arrived == 1)
    for path in [\BenchReport.messages, \.bytes, \.highest, \.lastArrival, \.time, \.processor, \.players, \.unread] {
      var result = BenchResult(
        story: .unreliable, policy: .everyPacket, figure: .rate(makeRate { $0[keyPath: path] = .max }),
        path: BenchPath())
      (result.others, result.unread) = (.max, .max)
      #expect(!BenchPrinter.row(result).isEmpty)
      #expect(BenchPrinter.remarks(result).count == 2)
      #expect(JSONLine(BenchPrinter.fields(result)).text.hasPrefix(#"{"story":"unreliable""#))
    }
  }

  // MARK: What held it back

  private func bound(_ change: (inout BenchRate, inout BenchPath) -> Void) throws -> BenchBound? {
    var rate = try #require(makeRate())
    var path = BenchPath()
    (path.packetsSent, path.minimumRoundTrip) = (100_000, .milliseconds(20))
    change(&rate, &path)
    return BenchBound(rate, path, queueLimit: 1 << 20)
  }

  @Test func whatHeldItBack() throws {
    #expect(try bound { _, _ in } == nil)
    #expect(try bound { rate, _ in rate.coresHere = 0.95 } == .processor)
    #expect(try bound { rate, _ in (rate.coresHere, rate.coresThere) = (0.95, 1.2) } == .serverProcessor)
    // 25 MB/s at 20 ms are half a megabyte on the way.
    #expect(try bound { rate, _ in rate.bytes = 50_000_000 } == .queue)
    #expect(try bound { rate, _ in rate.bytes = 30_000_000 } == nil)
    #expect(try bound { _, path in path.packetsLost = 200 } == .loss)
    #expect(try bound { _, path in path.packetsLost = 50 } == nil)
    #expect(try bound { _, path in path = BenchPath() } == nil)
  }

  // MARK: Words on the wire

  @Test func reportsAreReadAsTheyWereWritten() {
    var report = BenchReport()
    (report.messages, report.bytes, report.highest, report.lastArrival) = (1, 2, 3, 4)
    (report.time, report.processor, report.players, report.unread) = (5, 6, 7, .max)
    #expect(BenchReport(report.text) == report)
    // A later version may say more, and not less.
    #expect(BenchReport(report.text + " more=1") == report)
    #expect(BenchReport(String(report.text.dropFirst("messages=1 ".count))) == nil)
    let broken = ["", "messages", "messages=", "messages=-1", "messages=1=2", report.text + " messages=1"]
    for text in broken + [report.text + String(repeating: " ", count: 512)] { #expect(BenchReport(text) == nil) }
  }

  @Test func doorsAreReadAsTheyWereWritten() {
    let both = BenchDoors(ports: [.everyPacket: 7447, .sealedOnly: 7448], here: .sealedOnly)
    #expect(both.text == "signed=7447 sealed=7448 here=0")
    #expect(BenchDoors(both.text) == both)
    let one = BenchDoors(ports: [.everyPacket: 1], here: .everyPacket)
    #expect(BenchDoors(one.text) == one)
    for text in ["", "here=1", "signed=0 here=1", "signed=65536 here=1", "signed=1 here=0", "signed=1 here=2"] {
      #expect(BenchDoors(text) == nil, "\(text)")
    }
  }

  @Test func aNumberStandsInTheFirstBytes() {
    var body = [UInt8](repeating: 0x5a, count: 9)
    BenchStamp.write(0x0102_0304_0506_0708, into: &body)
    #expect(body == [8, 7, 6, 5, 4, 3, 2, 1, 0x5a])
    #expect(BenchStamp.number(of: body) == 0x0102_0304_0506_0708)
    var short: [UInt8] = [1, 2, 3]
    BenchStamp.write(7, into: &short)
    #expect(short == [1, 2, 3] && BenchStamp.number(of: short) == 0)
  }

  // MARK: Words for people

  @Test func figuresHaveThreeDigitsAndAUnit() {
    let times: [(Double, String)] = [
      (0, "0.00 us"), (1.234, "1.23 us"), (9.994, "9.99 us"), (9.996, "10.0 us"), (99.96, "100 us"), (999.4, "999 us"),
      (999.7, "1.00 ms"), (12_345, "12.3 ms"), (999_600, "1.00 s"), (2_500_000, "2.50 s"),
    ]
    for (value, text) in times { #expect(BenchText.time(microseconds: value) == text) }
    #expect(BenchText.time(.milliseconds(250)) == "250 ms")
    let counts: [(Double, String)] = [
      (0, "0"), (999.6, "1,000"), (1_234_567, "1,234,567"), (-1, "0"), (.nan, "0"),
      (.infinity, "1,000,000,000,000,000,000"),
    ]
    for (value, text) in counts { #expect(BenchText.count(value) == text) }
    #expect(BenchText.byteRate(98_765_432) == "98.8 MB/s")
    #expect(BenchText.digits(.nan) == "0" && BenchText.digits(-3) == "0.00")
  }

  @Test func allAndNothingAreSaidWhereItIsSo() {
    let shares: [(Double, String)] = [
      (1, "100.0 %"), (0.99999, "over 99.9 %"), (0.998, "99.8 %"), (0.00001, "under 0.1 %"), (0, "0.0 %"),
    ]
    for (share, text) in shares { #expect(BenchText.share(share) == text) }
  }

  @Test func rows() {
    var path = BenchPath()
    (path.packetsSent, path.packetsLost, path.packetSize) = (1000, 20, 1400)
    let result = BenchResult(story: .bulk, policy: .sealedOnly, figure: .rate(makeRate()), path: path)
    let row = BenchPrinter.row(result)
    for part in ["  bulk", "0.03 MB/s", "3.00 ms", "1.00 ms", "2.0 %", "1400", "packets lost"] {
      #expect(row.contains(part), "\(part)")
    }
    let nothing = BenchPrinter.row(BenchResult(story: .bulk, policy: .sealedOnly, figure: .rate(nil), path: path))
    #expect(nothing.contains("nothing arrived"))
    #expect(!BenchPrinter.legend(BenchSettings()).contains { $0.count > 120 })
  }

  @Test func progressGrowsAndStaysInItsBar() {
    func line(_ elapsed: Duration) -> String { BenchProgress.line("signed bulk", elapsed, of: .seconds(2)) }
    #expect(line(.zero).contains("[....................] 0.00 us"))
    #expect(line(.milliseconds(1500)).contains("[###############.....] 1.50 s"))
    #expect(line(.seconds(2)).hasSuffix("[####################] 2.00 s"))
    #expect(line(.seconds(9)).contains("[####################] 9.00 s, waiting"))
  }
}
