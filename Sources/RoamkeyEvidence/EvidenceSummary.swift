/// What was counted in one part, or in all parts of a session.
public struct EvidenceSummary: Sendable, Hashable {
  /// Packets that their sender has signed.
  public internal(set) var packets: UInt64 = 0
  /// The lowest and the highest number that a packet had.
  public internal(set) var numbers: ClosedRange<UInt64>?
  /// How often, and how many packets the recorder says that it has received and left out.
  public internal(set) var gaps: UInt64 = 0
  public internal(set) var missed: UInt64 = 0
  /// From when to when, in microseconds since 1970, by the recorder's clock.
  public internal(set) var times: ClosedRange<UInt64>?
  /// Why the last part has ended; nil where it has not.
  public internal(set) var end: EvidenceEnd?

  /// Numbers between the lowest and the highest that are not there: packets that were lost, left out by the recorder,
  /// or never sent.
  public var absent: UInt64 {
    guard let numbers else { return 0 }
    let span = numbers.upperBound - numbers.lowerBound + 1
    return span - min(packets, span)
  }

  mutating func note(number: UInt64) {
    numbers = min(numbers?.lowerBound ?? number, number)...max(numbers?.upperBound ?? number, number)
  }

  mutating func note(time: UInt64) {
    times = min(times?.lowerBound ?? time, time)...max(times?.upperBound ?? time, time)
  }

  /// Adds the part that follows.
  mutating func add(_ part: EvidenceSummary) {
    packets = packets.addingReportingOverflow(part.packets).partialValue
    for number in [part.numbers?.lowerBound, part.numbers?.upperBound].compactMap({ $0 }) { note(number: number) }
    gaps = gaps.addingReportingOverflow(part.gaps).partialValue
    missed = missed.addingReportingOverflow(part.missed).partialValue
    for time in [part.times?.lowerBound, part.times?.upperBound].compactMap({ $0 }) { note(time: time) }
    end = part.end
  }
}
