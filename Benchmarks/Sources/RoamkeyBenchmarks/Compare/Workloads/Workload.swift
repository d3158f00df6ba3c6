/// What two processes do with each other, and what each of them measures.
protocol Workload: Sendable {
  /// The server's part, until it has its figures.
  func serve(_ party: some Party) async throws(BenchmarkFailure) -> Measures
  /// The clients'.
  /// - Parameter isOver: whether the server has its figures, and wants no more.
  func play(_ party: some Party, isOver: () -> Bool) async throws(BenchmarkFailure) -> Measures
}

/// A workload with its settings, as one word for a command line.
enum WorkloadChoice: Sendable, Equatable {
  case flood(Flood)
  case pingPong(PingPong)
  case crowd(Crowd)

  var word: String {
    switch self {
    case .flood(let flood):
      "flood:\(flood.size):\(flood.promise == .reliable ? 1 : 0):\(flood.seconds):\(flood.limit)"
    case .pingPong(let pingPong): "pingpong:\(pingPong.size):\(pingPong.seconds)"
    case .crowd(let crowd):
      "crowd:\(crowd.peers):\(crowd.rateIn):\(crowd.rateOut):\(crowd.sizeIn):\(crowd.sizeOut):\(crowd.seconds)"
    }
  }

  init?(word: String) {
    let parts = word.split(separator: ":")
    let numbers = parts.dropFirst().compactMap { Double($0) }
    guard let name = parts.first, numbers.count == parts.count - 1 else { return nil }
    switch (name, numbers.count) {
    case ("flood", 4):
      self = .flood(
        Flood(
          size: Int(numbers[0]), promise: numbers[1] == 1 ? .reliable : .unreliable, seconds: numbers[2],
          limit: Int(numbers[3])))
    case ("pingpong", 2): self = .pingPong(PingPong(size: Int(numbers[0]), seconds: numbers[1]))
    case ("crowd", 6):
      self = .crowd(
        Crowd(
          peers: Int(numbers[0]), rateIn: numbers[1], rateOut: numbers[2], sizeIn: Int(numbers[3]),
          sizeOut: Int(numbers[4]), seconds: numbers[5]))
    default: return nil
    }
  }

  /// How many sessions it has.
  var peers: Int {
    switch self {
    case .flood, .pingPong: 1
    case .crowd(let crowd): crowd.peers
    }
  }

  /// Who has its figures first; the other one ends then.
  var measuringRole: Role {
    switch self {
    case .flood, .pingPong: .client
    case .crowd: .server
    }
  }

  /// How long it takes at most, handshakes included.
  var limit: Duration {
    switch self {
    case .flood(let flood): .seconds(flood.seconds * 4 + 30)
    case .pingPong(let pingPong): .seconds(pingPong.seconds + 15)
    case .crowd(let crowd): .seconds(crowd.seconds + 40 + Double(crowd.peers) / 100)
    }
  }

  var workload: any Workload {
    switch self {
    case .flood(let flood): flood
    case .pingPong(let pingPong): pingPong
    case .crowd(let crowd): crowd
    }
  }
}
