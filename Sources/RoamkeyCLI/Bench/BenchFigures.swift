internal import Roamkey

/// The order statistics of times that were measured.
struct BenchTimes: Sendable {
  private let sorted: [Duration]

  init(_ times: [Duration]) { sorted = times.sorted() }

  var count: Int { sorted.count }
  var maximum: Duration? { sorted.last }

  /// Those that are shown. Of less than a hundred the one in a hundred would only be the maximum once more.
  var named: [(name: String, time: Duration)] {
    [("p50", self[50]), ("p99", count < 100 ? nil : self[99]), ("max", maximum)].compactMap { name, time in
      time.map { (name, $0) }
    }
  }

  /// The smallest time that at least `percent` of all do not exceed (the nearest rank); nil without times.
  ///
  /// Not interpolated: each figure is a time that was really measured.
  subscript(percent: Double) -> Duration? {
    guard !sorted.isEmpty else { return nil }
    let rank = (percent / 100 * Double(sorted.count)).rounded(.up)
    return sorted[Int(min(max(rank, 1), Double(sorted.count))) - 1]
  }
}

/// What was known at one moment of a stream of messages.
struct BenchMark: Sendable {
  var report: BenchReport
  /// When the report came.
  var time = ContinuousClock.now
  /// Processor time of this process by then, in microseconds.
  var processor = BenchProcessor.microseconds
}

/// What a stream of messages came to between two moments.
struct BenchRate: Sendable, Equatable {
  /// Messages that the server counted.
  var messages: Double
  /// From the last arrival before the first moment to the last one before the second: whole intervals, so that a few
  /// large messages give a figure as well.
  var seconds: Double
  var bytes: Double
  /// The share of messages sent that arrived, 0 to 1.
  var arrived: Double
  /// Microseconds of processor time for one message, on this side and on the server's.
  var processorHere: Double
  var processorThere: Double
  /// How many cores were busy.
  var coresHere: Double
  var coresThere: Double

  var messagesPerSecond: Double { messages / seconds }
  var bytesPerSecond: Double { bytes / seconds }

  /// Nil where nothing arrived in between. Nothing of it traps, whatever a server reports.
  init?(_ first: BenchMark, _ last: BenchMark) {
    func difference(_ field: KeyPath<BenchReport, UInt64>) -> Double {
      Double(last.report[keyPath: field]) - Double(first.report[keyPath: field])
    }
    messages = difference(\.messages)
    seconds = difference(\.lastArrival) / 1e6
    bytes = difference(\.bytes)
    let (timeHere, timeThere) = ((last.time - first.time) / .microseconds(1), difference(\.time))
    let spentHere = Double(last.processor) - Double(first.processor)
    let spentThere = difference(\.processor)
    guard messages > 0, seconds > 0, timeHere > 0, timeThere > 0, spentHere >= 0, spentThere >= 0, bytes >= 0 else {
      return nil
    }
    let sent = difference(\.highest)
    arrived = sent > 0 ? min(1, messages / sent) : 1
    processorHere = spentHere / messages
    processorThere = spentThere / messages
    coresHere = spentHere / timeHere
    coresThere = spentThere / timeThere
  }
}

/// What held a stream back, as far as can be told.
enum BenchBound: String {
  case processor
  case serverProcessor
  case queue
  case loss

  /// A core that is busy for as much of the time has nothing left to give: the rest is waiting to be woken.
  private static let busy = 0.9
  /// Senders wait until a queue is half empty, so it is never full all the time.
  private static let fullQueue = 0.4
  /// From here on it is losses that decide how much may be in flight.
  private static let lossy = 0.001

  /// - Parameter queueLimit: bytes that may be queued or in flight.
  init?(_ rate: BenchRate, _ path: BenchPath, queueLimit: Int) {
    if max(rate.coresHere, rate.coresThere) >= Self.busy {
      self = rate.coresHere >= rate.coresThere ? .processor : .serverProcessor
    } else if let trip = path.minimumRoundTrip,
      rate.bytesPerSecond * (trip / .seconds(1)) >= Self.fullQueue * Double(queueLimit)
    {
      // One queue a round trip is all that there can be.
      self = .queue
    } else if path.lossShare >= Self.lossy {
      self = .loss
    } else {
      return nil
    }
  }

  var words: String {
    switch self {
    case .processor: "this side's processor"
    case .serverProcessor: "the server's processor"
    case .queue: "1 MiB of queue a round trip"
    case .loss: "packets lost"
    }
  }
}

/// What this side's session says of its way to the server.
struct BenchPath: Sendable, Equatable {
  var packetsSent: UInt64 = 0
  var packetsLost: UInt64 = 0
  /// Bytes of UDP payload in a full packet.
  var packetSize = 0
  var minimumRoundTrip: Duration?

  var lossShare: Double { packetsSent == 0 ? 0 : Double(packetsLost) / Double(packetsSent) }

  init() {}

  init(_ statistics: SessionStatistics) {
    packetsSent = statistics.packetsSent
    // One that was only late was not lost.
    packetsLost = statistics.packetsLost - min(statistics.packetsLost, statistics.spuriousLosses)
    packetSize = statistics.packetSize
    minimumRoundTrip = statistics.minimumRoundTrip
  }
}
