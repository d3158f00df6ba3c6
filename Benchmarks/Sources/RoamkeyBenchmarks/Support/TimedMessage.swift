/// What the streams consist of: 64 bytes that tell their number, when they were sent, and whether they are whole.
struct TimedMessage: Equatable, Sendable {
  /// In bytes: number and time with 8 each, the rest follows from the number.
  static let size = 64

  let sequence: UInt64
  let sentAt: Monotonic

  init(sequence: UInt64, sentAt: Monotonic) {
    self.sequence = sequence
    self.sentAt = sentAt
  }

  /// - Throws: where these are not the bytes of any message.
  init(_ bytes: [UInt8]) throws(BenchmarkFailure) {
    guard bytes.count == Self.size else {
      throw BenchmarkFailure("a message of \(bytes.count) bytes arrived; \(Self.size) were sent")
    }
    func number(at start: Int) -> UInt64 { bytes[start..<start + 8].reduce(0) { $0 << 8 | UInt64($1) } }
    let sequence = number(at: 0)
    self.init(sequence: sequence, sentAt: Monotonic(nanoseconds: Int64(bitPattern: number(at: 8))))
    for index in 16..<Self.size where bytes[index] != Self.filler(index, sequence) {
      throw BenchmarkFailure("byte \(index) of message \(sequence) arrived changed")
    }
  }

  var bytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Self.size)
    for number in [sequence, UInt64(bitPattern: sentAt.nanoseconds)] {
      for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: number >> shift)) }
    }
    for index in 16..<Self.size { bytes.append(Self.filler(index, sequence)) }
    return bytes
  }

  private static func filler(_ index: Int, _ sequence: UInt64) -> UInt8 {
    UInt8(truncatingIfNeeded: sequence &* 31 &+ UInt64(index) &* 7)
  }
}

/// What has arrived of a stream, held against what its delivery mode promises.
struct DeliveryLog: Sendable {
  enum Promise {
    /// Each message once, in order.
    case reliableOrdered
    /// Each message once, as it comes.
    case reliableUnordered
    /// Only ever newer ones; some may be missing.
    case newerOnly
    /// No message twice; some may be missing.
    case atMostOnce

    var isReliable: Bool {
      switch self {
      case .reliableOrdered, .reliableUnordered: true
      case .newerOnly, .atMostOnce: false
      }
    }
  }

  private let promise: Promise
  /// All below it have arrived, or are given up.
  private var next: UInt64 = 0
  /// What has arrived above it, where no order is promised.
  private var early: Set<UInt64> = []
  /// From `send` until the app had the message, in the order of arrival.
  private(set) var ages: [Duration] = []

  init(_ promise: Promise) { self.promise = promise }

  var count: Int { ages.count }

  /// Takes what arrived at `now`.
  /// - Throws: where it is not what was promised.
  @discardableResult
  mutating func receive(_ bytes: [UInt8], at now: Monotonic) throws(BenchmarkFailure) -> TimedMessage {
    let message = try TimedMessage(bytes)
    let isPromised =
      switch promise {
      case .reliableOrdered: message.sequence == next
      case .newerOnly: message.sequence >= next
      case .reliableUnordered, .atMostOnce: message.sequence >= next && !early.contains(message.sequence)
      }
    guard isPromised, message.sequence < .max else {
      throw BenchmarkFailure("message \(message.sequence) arrived where \(next) was due")
    }
    switch promise {
    case .reliableOrdered, .newerOnly: next = message.sequence + 1
    case .reliableUnordered, .atMostOnce:
      early.insert(message.sequence)
      while early.remove(next) != nil { next += 1 }
    }
    ages.append(now - message.sentAt)
    return message
  }
}
