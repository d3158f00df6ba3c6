internal import Roamkey

/// The results of a transfer, for people and for programs.
struct BulkReport {
  let transfer: BulkTransfer
  let outcome: BulkOutcome
  /// The machine, as it was at the start.
  let machine: String

  private var policy: String {
    switch transfer.policy {
    case .sealedOnly: "sealed"
    case .everyPacket: "signed"
    }
  }

  var text: String {
    let conditions = transfer.conditions
    let megabytes = Double(transfer.messages * BulkPattern.size) / Double(1 << 20)
    let bandwidth = conditions.bandwidth.map { "; \(Text.setting($0 * 8 / 1e6)) Mbit/s" } ?? ""
    let ages = outcome.stateAges
    let down = outcome.relay.down
    let lateness = outcome.relay.lateness
    return """
      Bulk transfer, Roamkey \(policy): \(Text.setting(megabytes)) MiB in messages of \
      \(BulkPattern.size >> 10) KiB, server to client; state \(Text.setting(transfer.rate)) times a second \
      beside it
      \(Text.setting(conditions.delay.inMilliseconds)) ms and \
      \(Text.setting(conditions.loss * 100)) % loss each way\(bandwidth); seed \(transfer.seed); \(machine)

      transfer      \(outcome.messages) of \(transfer.messages) messages in \
      \(Text.number(outcome.time.inSeconds, decimals: 1)) s: \
      \(Text.number(outcome.megabytesPerSecond, decimals: 3)) MB/s, every byte compared
      state's age   p50 \(milliseconds(ages[50])) ms, p99 \(milliseconds(ages[99])) ms, max \
      \(milliseconds(ages.maximum)) ms; \(outcome.stateReceived) of \(outcome.stateSent) arrived, \
      \(outcome.stateRefused) found the queue full
      down          \(down.datagrams) datagrams, \(Text.number(Double(down.bytes) / 1e6, decimals: 1)) MB; \
      \(down.lost) lost at random, \(down.overflowed) for want of room
      up            \(outcome.relay.up.datagrams) datagrams, \
      \(Text.number(Double(outcome.relay.up.bytes) / 1e6, decimals: 1)) MB
      relay         late by p50 \(microseconds(lateness[50])) us, p99 \(microseconds(lateness[99])) us
      """
  }

  private func milliseconds(_ duration: Duration?) -> String { Text.number(duration?.inMilliseconds, decimals: 1) }
  private func microseconds(_ duration: Duration?) -> String { Text.number(duration?.inMicroseconds, decimals: 0) }

  var json: JSON {
    let ages = outcome.stateAges
    return .object([
      ("benchmark", .text("bulk")),
      ("machine", .text(machine)),
      ("policy", .text(policy)),
      ("seed", .text(String(transfer.seed))),
      ("delayMs", .number(transfer.conditions.delay.inMilliseconds)),
      ("lossPercent", .number(transfer.conditions.loss * 100)),
      ("messages", .integer(transfer.messages)),
      ("messagesReceived", .integer(outcome.messages)),
      ("seconds", .number(outcome.time.inSeconds)),
      ("megabytesPerSecond", .number(outcome.megabytesPerSecond)),
      ("stateSent", .integer(outcome.stateSent)),
      ("stateRefused", .integer(outcome.stateRefused)),
      ("stateReceived", .integer(outcome.stateReceived)),
      ("stateP50Ms", .number(ages[50]?.inMilliseconds)),
      ("stateP99Ms", .number(ages[99]?.inMilliseconds)),
      ("stateMaximumMs", .number(ages.maximum?.inMilliseconds)),
      ("bytesDown", .integer(outcome.relay.down.bytes)),
      ("bytesUp", .integer(outcome.relay.up.bytes)),
      ("relayP99Us", .number(outcome.relay.lateness[99]?.inMicroseconds)),
      ("failure", outcome.failure.map { .text($0.description) } ?? .bool(false)),
    ])
  }
}
