internal import ArgumentParser
internal import Glibc
internal import Roamkey
internal import RoamkeyTerminal

/// `roamkey key handover`
struct KeyHandoverCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "handover", abstract: "Check and print the statements by which keys hand over to others.",
    discussion: """
      Each line has the old player id, the new one, and when it was signed, in UTC: the word of whoever signed. What \
      is printed was signed by both keys; whether it is the only one of its old key nobody can tell from the file.
      """)

  @Argument(
    help: ArgumentHelp("A file of `roamkey key rotate`, or several in one.", valueName: "file"), completion: .file())
  var path: String

  func run() async throws {
    try await Failure.report { () throws(Failure) in
      for handover in try Self.load(path) {
        try Console.answer("\(handover.old) -> \(handover.new)  \(Self.date(handover.time))")
      }
    }
  }

  static func load(_ path: String) throws(Failure) -> [Handover] {
    do throws(HandoverError) {
      return try Handover.load(path)
    } catch {
      throw Failure(error)
    }
  }

  /// As ISO 8601, or as it is where no calendar goes that far.
  static func date(_ seconds: UInt64) -> String {
    var parts = tm()
    guard var time = time_t(exactly: seconds), gmtime_r(&time, &parts) != nil, parts.tm_year < 8100 else {
      return "\(seconds) s after 1970"
    }
    var text = [CChar](repeating: 0, count: 32)
    let count = strftime(&text, text.count, "%Y-%m-%dT%H:%M:%SZ", &parts)
    return String(decoding: text[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
