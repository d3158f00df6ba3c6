/// The results of a run with cuts, for people and for programs.
struct CutsReport {
  let run: CutsRun
  let outcome: CutsOutcome
  /// The machine, as it was at the start.
  let machine: String

  // MARK: For people

  var text: String {
    let conditions = run.conditions
    let cuts = run.schedule.cuts.map {
      "\(Text.number($0.length.inSeconds, decimals: 1)) s at \(Text.number($0.start.inSeconds, decimals: 1)) s"
    }.joined(separator: ", ")
    return """
      \(Text.setting(run.length.inSeconds)) s, the network cut for \(cuts); the app does nothing about it
      \(Text.setting(conditions.delay.inMilliseconds)) ms and \(Text.setting(conditions.loss * 100)) % loss each way \
      otherwise; seed \(run.seed); \(machine)

      \(streams)

      \(directions)

      while cut     \(bytes(\.bytesUp)) bytes up, \(bytes(\.bytesDown)) down, each cut
      sessions      \(outcome.sessions)
      """
  }

  private var streams: String {
    var rows = [["stream", "up: sent", "arrived", "down: sent", "arrived"]]
    for stream in CutsStream.allCases {
      rows.append(
        ["\(stream) (\(stream.delivery))"]
          + [outcome.up, outcome.down].flatMap {
            ["\($0.sender.sent[stream, default: 0])", "\($0.inbox.count(stream))"]
          })
    }
    return Text.table(rows)
  }

  private var directions: String {
    var rows = [
      [
        "", "first message: p50", "max", "all caught up: p50", "max", "offline told: p50", "max", "times",
        "queue at most",
      ]
    ]
    for (name, direction) in [("up", outcome.up), ("down", outcome.down)] {
      let offline = offlineDelays(direction)
      rows.append([
        name, seconds(first(direction)[50]), seconds(first(direction).maximum), seconds(caughtUp(direction)[50]),
        seconds(caughtUp(direction).maximum), seconds(offline[50]), seconds(offline.maximum),
        "\(direction.inbox.offline.count)", "\(direction.sender.deepestQueue) B",
      ])
    }
    return Text.table(rows)
  }

  private func first(_ direction: CutsOutcome.Direction) -> Percentiles {
    Percentiles(outcome.cuts.compactMap { direction.inbox.firstArrival(after: $0.end) })
  }

  private func caughtUp(_ direction: CutsOutcome.Direction) -> Percentiles {
    Percentiles(outcome.cuts.compactMap { direction.inbox.caughtUp(after: $0.end) })
  }

  /// From the beginning of a cut until the receiving side of this direction was told.
  private func offlineDelays(_ direction: CutsOutcome.Direction) -> Percentiles {
    Percentiles(
      outcome.cuts.compactMap { cut in direction.inbox.offline.first { $0 > cut.start }.map { $0 - cut.start } })
  }

  private func seconds(_ duration: Duration?) -> String { "\(Text.number(duration?.inSeconds, decimals: 2)) s" }

  private func bytes(_ side: (CutsOutcome.Cut) -> Int) -> String {
    outcome.cuts.map { "\(side($0))" }.joined(separator: " / ")
  }

  // MARK: For programs

  var json: JSON {
    .object([
      ("benchmark", .text("cuts")),
      ("machine", .text(machine)),
      ("seed", .text(String(run.seed))),
      ("seconds", .number(run.length.inSeconds)),
      ("cutsAt", .array(run.schedule.cuts.map { .number($0.start.inSeconds) })),
      ("cutSeconds", .array(run.schedule.cuts.map { .number($0.length.inSeconds) })),
      ("up", json(outcome.up, \.bytesUp)),
      ("down", json(outcome.down, \.bytesDown)),
      ("sessions", .integer(Int(outcome.sessions))),
      ("failures", .array(outcome.failures.map { .text($0.description) })),
    ])
  }

  private func json(_ direction: CutsOutcome.Direction, _ bytes: (CutsOutcome.Cut) -> Int) -> JSON {
    .object([
      ("sent", json { direction.sender.sent[$0, default: 0] }),
      ("arrived", json(direction.inbox.count)),
      ("firstP50Seconds", .number(first(direction)[50]?.inSeconds)),
      ("firstMaximumSeconds", .number(first(direction).maximum?.inSeconds)),
      ("caughtUpP50Seconds", .number(caughtUp(direction)[50]?.inSeconds)),
      ("caughtUpMaximumSeconds", .number(caughtUp(direction).maximum?.inSeconds)),
      ("offline", .integer(direction.inbox.offline.count)),
      ("online", .integer(direction.inbox.online.count)),
      ("queueMaximumBytes", .integer(direction.sender.deepestQueue)),
      ("bytesWhileCut", .array(outcome.cuts.map { .integer(bytes($0)) })),
    ])
  }

  private func json(_ count: (CutsStream) -> Int) -> JSON {
    .object(CutsStream.allCases.map { ($0.rawValue, .integer(count($0))) })
  }
}
