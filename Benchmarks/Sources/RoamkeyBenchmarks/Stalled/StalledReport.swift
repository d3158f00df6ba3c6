internal import Roamkey

/// The results of a reader that stood still, for people and for programs.
struct StalledReport {
  let run: StalledRun
  let outcome: StalledOutcome
  /// The machine, as it was at the start.
  let machine: String

  // MARK: For people

  var text: String {
    let configuration = RoamkeyConfiguration()
    let total = Double(run.messages * BulkPattern.size)
    return """
      \(mebibytes(total)) MiB in messages of \(BulkPattern.size >> 10) KiB, in \(StalledClient.channels) channels, to \
      a client whose app stands still for \(Text.setting(run.stall.inSeconds)) s; state \
      \(Text.setting(run.rate)) times a second beside it
      two processes on 127.0.0.1; resident memory seen \(outcome.memory.samples) times; seed \(run.seed); \(machine)

      \(table)

      limits        sendQueueLimit \(mebibytes(configuration.sendQueueLimit)) MiB (server); receiveCredit \
      \(mebibytes(configuration.receiveCredit)) MiB, unreadUnreliableLimit \
      \(mebibytes(configuration.unreadUnreliableLimit)) MiB (client); allowed beside them \
      \(mebibytes(StalledMemory.allowance)) MiB
      stood still   \(outcome.takenWhileStalled) messages taken by send, \(StalledClient.taken) read; \
      \(mebibytes(outcome.queued)) MiB in the queue at the end
      state         \(outcome.state.sent) sent, \(outcome.state.refused) found the queue full; \
      \(outcome.arrived.state) read, \(outcome.arrived.stateDropped) made room unread
      read on       \(outcome.arrived.messages) of \(outcome.expected) messages, every byte compared, in \
      \(Text.number(outcome.time.inSeconds, decimals: 1)) s
      """
  }

  private var table: String {
    var rows = [["MiB", "before", "stalled: max", "end", "reading on: max", "growth", "limits"]]
    for (name, memory) in processes {
      rows.append(
        [name]
          + [
            memory.before, memory.stalledPeak, memory.stalledEnd, memory.finalPeak, memory.growth, memory.limit,
          ].map { mebibytes($0) })
    }
    return Text.table(rows)
  }

  private var processes: [(String, StalledMemory)] {
    [("server", outcome.memory.server), ("client", outcome.memory.client)]
  }

  private func mebibytes(_ bytes: Int) -> String { mebibytes(Double(bytes)) }
  private func mebibytes(_ bytes: Double) -> String { Text.number(bytes / Double(1 << 20), decimals: 2) }

  // MARK: For programs

  var json: JSON {
    .object(
      [
        ("benchmark", .text("stalled")),
        ("machine", .text(machine)),
        ("seed", .text(String(run.seed))),
        ("stallSeconds", .number(run.stall.inSeconds)),
        ("messages", .integer(run.messages)),
        ("messagesReceived", .integer(outcome.arrived.messages)),
        ("takenWhileStalled", .integer(outcome.takenWhileStalled)),
        ("queuedBytes", .integer(outcome.queued)),
        ("stateSent", .integer(outcome.state.sent)),
        ("stateRefused", .integer(outcome.state.refused)),
        ("stateReceived", .integer(outcome.arrived.state)),
        ("stateDropped", .integer(outcome.arrived.stateDropped)),
        ("readOnSeconds", .number(outcome.time.inSeconds)),
        ("allowedBytes", .integer(StalledMemory.allowance)),
      ] + processes.map { name, memory in (name, json(memory)) }
        + [("failures", .array(outcome.failures.map { .text($0.description) }))])
  }

  private func json(_ memory: StalledMemory) -> JSON {
    .object([
      ("beforeBytes", .integer(memory.before)),
      ("stalledMaximumBytes", .integer(memory.stalledPeak)),
      ("stalledEndBytes", .integer(memory.stalledEnd)),
      ("readingOnMaximumBytes", .integer(memory.finalPeak)),
      ("growthBytes", .integer(memory.growth)),
      ("limitBytes", .integer(memory.limit)),
    ])
  }
}
