/// Measures how costs grow: with the number of sessions, and with the size of messages.
struct ScaleRun: Sendable {
  var runs = 3
  /// Ten thousand sessions besides.
  var isFull = false
  var isQuick = false

  /// What all sessions together send and are sent each second, however many they are: so it is the sessions that are
  /// told, and not how much is done at a time. Signatures make a lower rate.
  private static let rate = 5000.0
  private static let signedRate = 1000.0
  /// ENet numbers its peers with 12 bits.
  private static let enetLimit = 4095
  private static let sizes = [16, 64, 256, 1024, 4096, 16384, 65536]

  private(set) var failures: [String] = []

  init(runs: Int, isFull: Bool, isQuick: Bool) { (self.runs, self.isFull, self.isQuick) = (runs, isFull, isQuick) }

  mutating func sessions() async -> Series {
    var series = Series(
      title: "Server's cost of a datagram in or out, by sessions", xTitle: "sessions", yTitle: "CPU us a datagram")
    for count in isFull ? [10, 100, 1000, 10_000] : [10, 100, 1000] {
      for competitor in [Competitor.raw, .enet, .sealed, .signed] where competitor != .enet || count <= Self.enetLimit {
        let rate = (competitor == .signed ? Self.signedRate : Self.rate) / Double(count)
        let crowd = Crowd(
          peers: count, rateIn: rate, rateOut: rate, sizeIn: 64, sizeOut: 200, seconds: isQuick ? 1 : 2)
        await measure(.crowd(crowd), competitor, at: count, into: &series) { $0.server["perDatagram"] }
      }
    }
    return series
  }

  mutating func sizes() async -> Series {
    var series = Series(
      title: "Cost of a reliable message, by size", xTitle: "bytes of a message",
      yTitle: "CPU us a message, both sides")
    for size in Self.sizes {
      for competitor in [Competitor.raw, .enet, .sealed, .signed] {
        let flood = Flood(size: size, promise: .reliable, seconds: isQuick ? 0.2 : 0.5)
        await measure(.flood(flood), competitor, at: size, into: &series) { $0.processorPerSent }
      }
    }
    return series
  }

  private mutating func measure(
    _ choice: WorkloadChoice, _ competitor: Competitor, at x: Int, into series: inout Series,
    _ figure: (Duel.Outcome) -> Double?
  ) async {
    var values: [Double] = []
    for _ in 0..<(isQuick ? 1 : runs) {
      do throws(BenchmarkFailure) {
        let outcome = try await Duel(competitor: competitor, workload: choice).run()
        if let problem = outcome.lostInPlay { throw BenchmarkFailure(problem) }
        if let value = figure(outcome) { values.append(value) }
      } catch {
        failures.append("\(competitor.title), \(x) \(series.xTitle): \(error)")
      }
    }
    if let value = median(values) { series.add(.init(x: Double(x), y: value), of: competitor) }
  }
}

extension Duel.Outcome {
  /// Of both processes for each message that was sent, in microseconds: for those that cut messages into datagrams and
  /// do not put them together again.
  fileprivate var processorPerSent: Double? {
    guard let server = server["processor"], let client = client["processor"], let sent = self.client["sent"], sent > 0
    else { return nil }
    return (server + client) / sent
  }
}
