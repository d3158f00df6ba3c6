internal import Roamkey
internal import RoamkeyTerminal

/// A message that comes back, again and again, one at a time.
struct BenchRoundTrips: Sendable {
  let session: BenchSession
  let settings: BenchSettings

  /// What was seen.
  struct Seen: Sendable {
    var times: BenchTimes
    /// Processor time of this process for one of them, in microseconds.
    var processor: Double
  }

  func run() async throws(Failure) -> Seen {
    // The last one may begin in the last moment, and take as long as an answer may.
    try await session.answer(within: settings.duration + settings.patience) { await exchange() }.get()
  }

  private func exchange() async -> Result<Seen, Failure>? {
    let client = session.client
    var body = [UInt8](repeating: 0x5a, count: BenchStory.roundtrip.messageSize ?? BenchStamp.size)
    var number: UInt64 = 0
    var times: [Duration] = []
    let start = ContinuousClock.now
    var now = start
    var isWarm = false
    var processor = BenchProcessor.microseconds
    // At least one, however slow the network is.
    while times.isEmpty || now - start < settings.duration {
      number += 1
      BenchStamp.write(number, into: &body)
      let sent = ContinuousClock.now
      // Where the session has ended the events say why.
      try? client.send(body, as: BenchAction.echo.rawValue)
      do throws(Failure) { try await wait(for: number) } catch { return .failure(error) }
      if Task.isCancelled { return nil }
      now = .now
      times.append(now - sent)
      if !isWarm, now - start >= settings.warmUp, now - start < settings.duration {
        isWarm = true
        times.removeAll(keepingCapacity: true)
        processor = BenchProcessor.microseconds
      }
    }
    let spent = BenchProcessor.microseconds - processor
    return .success(Seen(times: BenchTimes(times), processor: Double(spent) / Double(times.count)))
  }

  /// Returns when it has come back, or the task was cancelled.
  private func wait(for number: UInt64) async throws(Failure) {
    for await event in session.client.events {
      if let failure = Failure(benchEvent: event) { throw failure }
      guard case .message(let message) = event else { continue }
      guard message.action == BenchAction.echo.rawValue, BenchStamp.number(of: message.body) == number else {
        throw .benchNonsense
      }
      return
    }
  }
}
