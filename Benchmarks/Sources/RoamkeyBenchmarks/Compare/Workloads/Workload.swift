/// What two processes do with each other, and what each of them measures.
protocol Workload: Sendable {
  /// The server's part, until it has its figures or is told to end.
  func serve(_ party: some Party, isOver: () -> Bool) async throws(BenchmarkFailure) -> Measures
  /// The clients'.
  /// - Parameter network: what is between them and the server, where the workload has asked for it.
  func play(_ party: some Party, through network: Relay?, isOver: () -> Bool) async throws(BenchmarkFailure) -> Measures
}

/// A workload with its settings, as one word for a command line.
enum WorkloadChoice: Sendable, Equatable {
  case flood(Flood)
  case pingPong(PingPong)
  case crowd(Crowd)
  case move(Move)
  case wire(Wire)

  var word: String {
    switch self {
    case .flood(let flood):
      "flood:\(flood.size):\(flood.promise == .reliable ? 1 : 0):\(flood.seconds):\(flood.limit)"
    case .pingPong(let pingPong): "pingpong:\(pingPong.size):\(pingPong.seconds)"
    case .crowd(let crowd):
      "crowd:\(crowd.peers):\(crowd.rateIn):\(crowd.rateOut):\(crowd.sizeIn):\(crowd.sizeOut):\(crowd.seconds)"
    case .move(let move): "move:\(move.delay)"
    case .wire(let wire): "wire:\(wire.seconds)"
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
    case ("move", 1): self = .move(Move(delay: numbers[0]))
    case ("wire", 1): self = .wire(Wire(seconds: numbers[0]))
    default: return nil
    }
  }

  /// How many sessions it has.
  var peers: Int {
    switch self {
    case .flood, .pingPong, .move, .wire: 1
    case .crowd(let crowd): crowd.peers
    }
  }

  /// Whether its clients come in and do no more.
  var rests: Bool {
    switch self {
    case .flood, .pingPong, .move, .wire: false
    case .crowd(let crowd): crowd.rateIn == 0
    }
  }

  /// Who has its figures first; the other one ends then.
  var measuringRole: Role {
    switch self {
    case .flood, .pingPong, .move, .wire: .client
    case .crowd: .server
    }
  }

  /// Whether the other one has figures at all.
  var hasBothSides: Bool {
    switch self {
    case .flood, .pingPong, .crowd: true
    case .move, .wire: false
    }
  }

  /// What is between both; nil for nothing.
  var conditions: LinkConditions? {
    switch self {
    case .flood, .pingPong, .crowd: nil
    case .move(let move): LinkConditions(delay: .microseconds(Int64(move.delay * 1000)))
    case .wire: LinkConditions()
    }
  }

  /// How long it takes at most, handshakes included.
  var limit: Duration {
    switch self {
    case .flood(let flood): .seconds(flood.seconds * 4 + 30)
    case .pingPong(let pingPong): .seconds(pingPong.seconds + 15)
    case .crowd(let crowd): .seconds(crowd.seconds + 40 + Double(crowd.peers) / 100)
    case .move: .seconds(30)
    case .wire(let wire): .seconds(wire.seconds + 40)
    }
  }

  var workload: any Workload {
    switch self {
    case .flood(let flood): flood
    case .pingPong(let pingPong): pingPong
    case .crowd(let crowd): crowd
    case .move(let move): move
    case .wire(let wire): wire
    }
  }
}
