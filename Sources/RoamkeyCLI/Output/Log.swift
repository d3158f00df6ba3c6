internal import Logging

/// The commands' log, on standard error.
enum Log {
  static let logger = Logger(label: "roamkey") { StreamLogHandler.standardError(label: $0) }
}
