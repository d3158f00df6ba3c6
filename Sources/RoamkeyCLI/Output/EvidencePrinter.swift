internal import Glibc
internal import Roamkey
internal import RoamkeyTerminal

/// What `verify` says of evidence, for people or for programs.
struct EvidencePrinter: Sendable {
  let json: Bool

  // MARK: Sessions

  /// - Parameter isPinned: somebody has said whose it should be.
  func report(_ report: EvidenceReport, isPinned: Bool) throws(Failure) {
    guard !json else { return EventPrinter(isOn: true).print("evidence", Self.fields(report)) }
    for line in Self.lines(report, isPinned: isPinned) { try Console.answer(line) }
  }

  static func lines(_ report: EvidenceReport, isPinned: Bool) -> [String] {
    var lines = report.files.map { Console.plain($0) }
    if let header = report.header {
      lines.append("  session   \(header.session)")
      lines.append("  app       \(Console.plain(header.application))")
      lines.append("  server    \(header.server)")
      lines.append("  player    \(header.player)")
      let words = header.recorder == .server ? ("server", "player") : ("player", "server")
      lines.append("  recorded  by the \(words.0): what the \(words.1) has sent")
    }
    if let refusal = report.refusal {
      return lines + ["  REFUSED   \(Console.plain(refusal.file)): \(refusal.reason)"]
    }
    return lines + counts(report) + verdict(report, isPinned: isPinned)
  }

  private static func counts(_ report: EvidenceReport) -> [String] {
    let summary = report.summary
    var lines = ["  packets   \(summary.packets)" + (summary.numbers.map { ", numbers \(range($0))" } ?? "")]
    if summary.absent > 0 {
      lines.append("            \(summary.absent) numbers between are not there: lost, left out, or never sent")
    }
    if summary.gaps > 0 {
      lines.append("  left out  \(summary.missed) packets, \(summary.gaps) times, as the recorder says itself")
    }
    if let times = summary.times {
      let moments = "\(moment(times.lowerBound)) to \(moment(times.upperBound))"
      lines.append("  received  \(moments), as the recorder says")
    }
    for parts in report.missingParts { lines.append("  MISSING   part \(range(parts))") }
    lines.append("  end       \(summary.end?.words ?? "none")")
    if report.incompleteMessages > 0 {
      lines.append("  messages  \(report.incompleteMessages) could not be put together: pieces missing, or too many")
    }
    return lines
  }

  private static func verdict(_ report: EvidenceReport, isPinned: Bool) -> [String] {
    guard let header = report.header else { return [] }
    let sender = header.recorder == .server ? "player" : "server"
    var lines = [
      "  GENUINE",
      "  proven    the \(sender)'s key has signed each of these packets, in a session of this app with this "
        + (header.recorder == .server ? "server" : "player"),
      "  not       when that was; that nothing is missing; that anybody else got it; who the person is",
    ]
    if header.recorder == .player {
      lines.append("            who wrote what the server passes on, unless its author has signed it")
    }
    if !isPinned {
      lines.append("  compare   these ids with those that you mean, or pass --player and --server: keys are free")
    }
    return lines
  }

  private static func fields(_ report: EvidenceReport) -> [(String, JSONLine.Value)] {
    let summary = report.summary
    var fields: [(String, JSONLine.Value)] = [
      ("genuine", .literal("\(report.isGenuine)")), ("files", .list(report.files.map { .text($0) })),
    ]
    if let header = report.header {
      fields += [
        ("session", .text(header.session)), ("app", .text(header.application)),
        ("server", .text(header.server.description)), ("player", .text(header.player.description)),
        ("recordedBy", .text("\(header.recorder)")),
      ]
    }
    if let refusal = report.refusal {
      return fields + [
        ("refused", .text(refusal.file)), ("code", .text(refusal.reason.code)),
        ("reason", .text(refusal.reason.description)),
      ]
    }
    fields += [
      ("packets", .number(summary.packets)), ("absent", .number(summary.absent)), ("leftOut", .number(summary.missed)),
      ("incompleteMessages", .number(report.incompleteMessages)), ("end", .text(summary.end.map { "\($0)" } ?? "")),
      ("missingParts", .list(report.missingParts.map { .text(range($0)) })),
    ]
    if let numbers = summary.numbers {
      fields += [("first", .number(numbers.lowerBound)), ("last", .number(numbers.upperBound))]
    }
    if let times = summary.times {
      fields += [("from", .literal(seconds(times.lowerBound))), ("to", .literal(seconds(times.upperBound)))]
    }
    return fields
  }

  // MARK: Messages

  /// Before the messages of a session, of which nobody knows yet whether all of it is genuine.
  func heading(_ header: EvidenceHeader) {
    guard !json else { return }
    let names = header.recorder == .server ? ("player", "server") : ("server", "player")
    Console.print("messages of session \(header.session)")
    Console.print("  sent by the \(names.0) \(header.sender)")
    Console.print("  recorded by the \(names.1) \(header.recorderID)")
    Console.print("  good as far as they stand here; whether the files are GENUINE or REFUSED stands at the end")
  }

  func message(_ header: EvidenceHeader, _ message: EvidenceMessage) {
    let (author, proof, words) = Self.authorship(header, message)
    let text = String(decoding: message.body, as: UTF8.self)
    if json {
      EventPrinter(isOn: true).print(
        "message",
        [
          ("session", .text(header.session)), ("packet", .number(message.packet)),
          ("received", .literal(Self.seconds(message.time))), ("author", .text(author.description)),
          ("proof", .text(proof)), ("channel", .number(UInt64(message.channel))),
          ("delivery", .text("\(message.delivery)")), ("sequence", .number(message.sequence)),
          ("action", .text(message.action)), ("bytes", .number(UInt64(message.body.count))),
          ("text", .text(text)),
        ])
    } else {
      let body = message.isText ? DisplayText.line(text) : "\(message.body.count) bytes"
      let action = message.action.isEmpty ? "" : "  \(DisplayText.line(message.action))"
      Console.print("\(Self.moment(message.time))  packet \(message.packet)  \(author.short)\(words)\(action)  \(body)")
    }
  }

  private static func authorship(
    _ header: EvidenceHeader, _ message: EvidenceMessage
  ) -> (PlayerID, code: String, words: String) {
    let host = header.recorder == .server ? "sender" : "server"
    return switch message.authorship {
    case .sender: (header.sender, "packet", "")
    case .said(let author): (author, "none", " (in the \(host)'s word)")
    case .proven(let author): (author, "signed", " (signed by the author)")
    case .badProof(let author): (author, "bad", " (in the \(host)'s word: the author's proof is none)")
    }
  }

  // MARK: Words

  private static func range<N>(_ range: ClosedRange<N>) -> String {
    range.lowerBound == range.upperBound ? "\(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound)"
  }

  private static func seconds(_ microseconds: UInt64) -> String {
    "\(microseconds / 1_000_000).\(digits(Int(microseconds % 1_000_000), 6))"
  }

  /// The day and the time of it, UTC, in milliseconds.
  private static func moment(_ microseconds: UInt64) -> String {
    var time = time_t(clamping: microseconds / 1_000_000)
    var parts = tm()
    // A recorder may write any number.
    guard gmtime_r(&time, &parts) != nil else { return "\(microseconds / 1_000_000) s after 1970" }
    let day = "\(Int(parts.tm_year) + 1900)-\(digits(Int(parts.tm_mon) + 1, 2))-\(digits(Int(parts.tm_mday), 2))"
    let clock = [parts.tm_hour, parts.tm_min, parts.tm_sec].map { digits(Int($0), 2) }.joined(separator: ":")
    return "\(day) \(clock).\(digits(Int(microseconds / 1000 % 1000), 3))Z"
  }

  private static func digits(_ number: Int, _ count: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, count - text.count)) + text
  }
}

extension EvidenceEnd {
  fileprivate var words: String {
    switch self {
    case .continued: "the file was closed while the session went on: there may be another part"
    case .sessionEnded: "the session had ended"
    case .recorderStopped: "the recorder stopped"
    }
  }
}
