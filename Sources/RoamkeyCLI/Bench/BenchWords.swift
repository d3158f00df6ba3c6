internal import Roamkey

/// What bench clients and servers say to each other: ordinary messages, told apart by their actions.
enum BenchAction: String {
  /// Client: which story it begins. Nobody answers.
  case begin
  /// Client: where is what? Server: its ports.
  case doors
  /// Client: say this again. Server: the same bytes, by the same delivery.
  case echo
  /// Client: count this. Nobody answers; the first 8 bytes are its number, from 1, little endian.
  case count
  /// Client: what was counted? Server: a `BenchReport`.
  case report

  /// Another number stands for another set of actions; Roamkey itself turns away who speaks of another one.
  static let application = "roamkey-bench/1"
  /// Questions go by a channel of their own, so that they are not kept waiting by what is counted.
  static let questionChannel: UInt8 = 1
  /// The longest message, action included: those of `bulk`.
  static let maximumMessageSize = (64 << 10) + 64

  /// The options of a question or its answer.
  static let urgent = SendOptions(priority: .immediate, channel: questionChannel)
}

/// Numbers with names, as a text: `messages=12 bytes=768`.
enum BenchFields {
  /// A text from elsewhere may be so long, in bytes.
  static let maximumSize = 512

  static func text(_ fields: [(name: String, value: UInt64)]) -> String {
    fields.map { "\($0.name)=\($0.value)" }.joined(separator: " ")
  }

  /// - Returns: nil for a text that is none of these.
  static func parse(_ text: String) -> [String: UInt64]? {
    guard text.utf8.count <= maximumSize else { return nil }
    var fields: [String: UInt64] = [:]
    for word in text.split(separator: " ") {
      let parts = word.split(separator: "=", omittingEmptySubsequences: false)
      guard parts.count == 2, let value = UInt64(parts[1]), fields.updateValue(value, forKey: String(parts[0])) == nil
      else { return nil }
    }
    return fields
  }
}

/// What a bench server has counted of one client since it joined, and what that cost.
struct BenchReport: Sendable, Equatable {
  var messages: UInt64 = 0
  var bytes: UInt64 = 0
  /// The highest number that has arrived: how many the client had sent by then.
  var highest: UInt64 = 0
  /// When the last one arrived, in microseconds since the client joined.
  var lastArrival: UInt64 = 0
  /// When this was asked, in the same way.
  var time: UInt64 = 0
  /// Processor time of the whole server so far, in microseconds.
  var processor: UInt64 = 0
  /// Clients who are in, this one included.
  var players: UInt64 = 0
  /// Unreliable messages that the server itself let go, of all clients, since it could not count them in time.
  var unread: UInt64 = 0

  private static var fields: [(name: String, path: WritableKeyPath<BenchReport, UInt64>)] {
    [
      ("messages", \.messages), ("bytes", \.bytes), ("highest", \.highest), ("last", \.lastArrival), ("time", \.time),
      ("cpu", \.processor), ("players", \.players), ("unread", \.unread),
    ]
  }

  var text: String { BenchFields.text(Self.fields.map { ($0.name, self[keyPath: $0.path]) }) }

  init() {}

  /// - Returns: nil where a field is missing; more than these are let be.
  init?(_ text: String) {
    guard let values = BenchFields.parse(text) else { return nil }
    for (name, path) in Self.fields {
      guard let value = values[name] else { return nil }
      self[keyPath: path] = value
    }
  }
}

/// Which signing policies a bench server has, and at which ports.
struct BenchDoors: Sendable, Equatable {
  var ports: [SigningPolicy: UInt16] = [:]
  /// The policy of the session in which it was asked.
  var here = SigningPolicy.everyPacket

  var text: String {
    let ports = BenchPolicy.both.policies.compactMap { policy in
      self.ports[policy].map { (name: policy.benchName, value: UInt64($0)) }
    }
    return BenchFields.text(ports + [("here", UInt64(here.rawValue))])
  }

  init(ports: [SigningPolicy: UInt16], here: SigningPolicy) {
    self.ports = ports
    self.here = here
  }

  /// - Returns: nil for what makes no sense.
  init?(_ text: String) {
    guard let values = BenchFields.parse(text),
      let here = values["here"].flatMap({ UInt8(exactly: $0) }).flatMap({ SigningPolicy(rawValue: $0) })
    else { return nil }
    self.here = here
    for policy in BenchPolicy.both.policies {
      guard let value = values[policy.benchName] else { continue }
      guard let port = UInt16(exactly: value), port > 0 else { return nil }
      ports[policy] = port
    }
    guard ports[here] != nil else { return nil }
  }
}
