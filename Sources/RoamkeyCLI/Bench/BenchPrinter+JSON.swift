internal import Roamkey

extension BenchPrinter {
  /// A story for programs. Times are seconds; what was not measured is left out.
  static func fields(_ result: BenchResult) -> [(String, JSONLine.Value)] {
    var fields: [(String, JSONLine.Value)] = [
      ("story", .text(result.story.rawValue)), ("policy", .text(result.policy.benchName)),
    ]
    if let size = result.story.messageSize { fields.append(("size", .number(UInt64(size)))) }
    switch result.figure {
    case .times(let times):
      fields.append(("count", .number(UInt64(times.count))))
      fields += times.named.map { ($0, .seconds($1)) }
      if let processor = result.processor { fields.append(("processor", .decimal(processor / 1e6))) }
    case .rate(nil): fields.append(("count", .number(0)))
    case .rate(let rate?): fields += Self.fields(rate, result)
    }
    if let path = result.path {
      fields += [
        ("packetsSent", .number(path.packetsSent)), ("packetsLost", .number(path.packetsLost)),
        ("packetSize", .number(UInt64(path.packetSize))),
      ]
      if let trip = path.minimumRoundTrip { fields.append(("minimumRoundTrip", .seconds(trip))) }
    }
    return fields + [("others", .number(result.others))]
  }

  private static func fields(_ rate: BenchRate, _ result: BenchResult) -> [(String, JSONLine.Value)] {
    var fields: [(String, JSONLine.Value)] = [
      ("count", .number(UInt64(min(rate.messages, 1e18)))), ("seconds", .decimal(rate.seconds)),
      ("messagesPerSecond", .decimal(rate.messagesPerSecond)), ("bytesPerSecond", .decimal(rate.bytesPerSecond)),
    ]
    if result.story == .unreliable {
      fields += [("arrived", .decimal(rate.arrived)), ("unread", .number(result.unread))]
    }
    fields += [
      ("processor", .decimal(rate.processorHere / 1e6)), ("serverProcessor", .decimal(rate.processorThere / 1e6)),
      ("cores", .decimal(rate.coresHere)), ("serverCores", .decimal(rate.coresThere)),
    ]
    if let bound = result.path.flatMap({ BenchBound(rate, $0, queueLimit: BenchSession.queueLimit) }) {
      fields.append(("boundBy", .text(bound.rawValue)))
    }
    return fields
  }
}
