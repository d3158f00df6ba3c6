public import CoreMetrics
public import Roamkey

/// Tells a metrics backend how a server or client is doing, every few seconds.
///
///     try await withThrowingTaskGroup { group in
///         group.addTask { await MetricsReporter(server: server).run() }
///         ...
///     }
///
/// All metrics have the dimension `role`, `server` or `client`, since both may live in one process. Players are not
/// told apart: a backend keeps a series for each value of a dimension, and players are many. Names, units and `_total`
/// are as Prometheus recommends.
///
/// | gauge | |
/// |---|---|
/// | `roamkey_players`, `roamkey_offline_players` | who is in; of whom nothing was heard for a while |
/// | `roamkey_queued_bytes`, `roamkey_queued_messages` | not sent, or not acknowledged; all sessions together |
/// | `roamkey_round_trip_seconds{statistic}` | `median` and `max` of the sessions |
/// | `roamkey_loss_ratio{statistic}` | the same for the share of packets that are lost at present, 0 to 1 |
///
/// | counter | |
/// |---|---|
/// | `roamkey_received_bytes_total`, `roamkey_sent_bytes_total` | UDP payload |
/// | `roamkey_received_packets_total`, `roamkey_sent_packets_total`, `roamkey_lost_packets_total` | |
/// | `roamkey_received_messages_total`, `roamkey_sent_messages_total` | |
/// | `roamkey_retransmitted_bytes_total` | bytes of messages that were sent again because they were lost |
/// | `roamkey_eager_copies_total`, `roamkey_needed_eager_copies_total` | copies sent ahead of any loss; of use |
/// | `roamkey_undelivered_messages_total{reason}` | `expired`, `superseded`, `late`, `unread` |
/// | `roamkey_dropped_receipts_total` | receipts that the app did not take in time |
/// | `roamkey_dropped_packets_total{reason}` | why, as in `Statistics.drops` |
/// | `roamkey_send_errors_total{kind}` | as in `Statistics.sendErrorsByKind` |
/// | `roamkey_signatures_verified_elsewhere_total` | those that idle threads have verified for busy ones |
/// | `roamkey_sessions_total`, `roamkey_refusals_total`, `roamkey_moves_total` | |
/// | `roamkey_sent_resets_total`, `roamkey_received_resets_total` | servers that were started anew, on both sides |
public struct MetricsReporter: Sendable {
  private let watch: Watch
  private let interval: Duration
  private let factory: any MetricsFactory
  private let dimensions: [(String, String)]

  /// Reports on a server, which it does not keep alive.
  /// - Parameters:
  ///   - server: whose figures.
  ///   - interval: how long it waits between two reports; backends that scrape want it below their own interval.
  ///   - dimensions: what every metric is told to be about beside its role, such as the room's name.
  ///   - factory: where they go; the default is what the process has bootstrapped.
  public init(
    server: Server, interval: Duration = .seconds(10), dimensions: [(String, String)] = [],
    factory: any MetricsFactory = MetricsSystem.factory
  ) {
    self.init(server.watch, role: "server", interval, dimensions, factory)
  }

  /// Reports on a client, which it does not keep alive. The parameters are those for a server.
  public init(
    client: Client, interval: Duration = .seconds(10), dimensions: [(String, String)] = [],
    factory: any MetricsFactory = MetricsSystem.factory
  ) {
    self.init(client.watch, role: "client", interval, dimensions, factory)
  }

  private init(
    _ watch: Watch, role: String, _ interval: Duration, _ dimensions: [(String, String)], _ factory: any MetricsFactory
  ) {
    self.watch = watch
    self.interval = interval
    self.factory = factory
    self.dimensions = [("role", role)] + dimensions
  }

  /// Reports until the server was closed or the client's session has ended, and once more then; or until either was let
  /// go, or the task is cancelled.
  public func run() async {
    var meters = Meters(factory, dimensions)
    while !Task.isCancelled {
      // Asked before it is looked at: what is seen after the end is the end.
      let isLast = watch.hasEnded()
      guard let sample = await watch.sample() else { return }
      meters.record(sample)
      if isLast { return }
      await withDeadline(interval, watch.waitUntilEnded)
    }
  }
}
