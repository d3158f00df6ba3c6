internal import Roamkey
internal import RoamkeyTerminal

/// Messages as fast as one app may send them, counted by the server.
///
/// The server is asked twice what it has counted, and the stream goes on meanwhile: the figures are those of a stream
/// that flows, by the server's clock, and nobody has to wait for a queue that a slow network empties for minutes.
struct BenchFlood: Sendable {
  let session: BenchSession
  let story: BenchStory
  let settings: BenchSettings

  /// One look at the room for so many messages, or bytes.
  private static let batch = 64
  private static let batchBytes = 64 << 10

  /// Both moments, of which the first ends the warm-up.
  func run() async throws(Failure) -> (BenchMark, BenchMark) {
    let marks = try await session.answer(within: settings.duration + settings.patience, while: { await talk() }) {
      await read()
    }.get()
    return (marks[0], marks[1])
  }

  private func talk() async {
    async let stream: Void = send()
    await ask()
    await stream
  }

  /// Until the task is cancelled.
  private func send() async {
    let client = session.client
    let size = max(story.messageSize ?? 0, BenchStamp.size)
    let batch = max(1, min(Self.batch, Self.batchBytes / size))
    let options = SendOptions(delivery: story == .unreliable ? .unreliable : .reliableOrdered)
    var body = [UInt8](repeating: 0x5a, count: size)
    var number: UInt64 = 0
    while !Task.isCancelled {
      guard session.hasRoom(for: batch * size) else {
        await client.waitForRoom()
        continue
      }
      for _ in 0..<batch {
        BenchStamp.write(number + 1, into: &body)
        do throws(SendError) {
          try client.send(Message(body, as: BenchAction.count.rawValue), options: options)
          number += 1
        } catch .queueFull {
          await client.waitForRoom()
        } catch {
          // The session has ended: who reads the events says why.
          return
        }
      }
      // On a machine with one core the others have to get their turn.
      await Task.yield()
    }
  }

  private func ask() async {
    guard (try? await Task.sleep(for: settings.warmUp)) != nil else { return }
    session.say(.report)
    guard (try? await Task.sleep(for: settings.duration - settings.warmUp)) != nil else { return }
    session.say(.report)
  }

  private func read() async -> Result<[BenchMark], Failure>? {
    var marks: [BenchMark] = []
    for await event in session.client.events {
      if let failure = Failure(benchEvent: event) { return .failure(failure) }
      guard case .message(let message) = event else { continue }
      guard message.action == BenchAction.report.rawValue, let report = message.text.flatMap({ BenchReport($0) }) else {
        return .failure(.benchNonsense)
      }
      marks.append(BenchMark(report: report))
      if marks.count == 2 { return .success(marks) }
    }
    return nil
  }
}
