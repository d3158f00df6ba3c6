internal import CoreMetrics
internal import Roamkey

/// The metrics of one server or client: those that `MetricsReporter` lists.
struct Meters {
  private let factory: any MetricsFactory
  private let dimensions: [(String, String)]
  private var counters: [String: (counter: Counter, told: UInt64)] = [:]
  private var gauges: [String: Meter] = [:]
  /// What of each session has been told. What one counts between the last look and its end is missed.
  private var sessions: [SessionHandle: SessionStatistics] = [:]
  /// The same summed up over all sessions that there were.
  private var totals: [String: UInt64] = [:]

  init(_ factory: any MetricsFactory, _ dimensions: [(String, String)]) {
    self.factory = factory
    self.dimensions = dimensions
  }

  mutating func record(_ sample: Watch.Sample) {
    recordGauges(sample)
    recordEndpoint(sample.statistics)
    recordSessions(sample.sessions)
  }

  private mutating func recordGauges(_ sample: Watch.Sample) {
    let sessions = sample.sessions.map(\.statistics)
    set("players", Double(sample.statistics.players))
    set("offline_players", Double(sessions.count { $0.isOffline }))
    set("queued_bytes", Double(sessions.reduce(0) { $0 + $1.queuedBytes }))
    set("queued_messages", Double(sessions.reduce(0) { $0 + $1.queuedMessages }))
    set("round_trip_seconds", ofAll: sessions.compactMap { $0.roundTrip.map { $0 / .seconds(1) } })
    set("loss_ratio", ofAll: sessions.map(\.loss))
  }

  private mutating func recordEndpoint(_ statistics: Statistics) {
    count("received_bytes", statistics.bytesReceived)
    count("sent_bytes", statistics.bytesSent)
    count("received_packets", statistics.datagramsReceived)
    count("sent_packets", statistics.datagramsSent)
    count("lost_packets", statistics.packetsLost)
    count("received_messages", statistics.messagesReceived)
    count("sent_messages", statistics.messagesSent)
    count("signatures_verified_elsewhere", statistics.signaturesVerifiedElsewhere)
    count("sessions", statistics.sessions)
    count("refusals", statistics.refusals)
    count("moves", statistics.moves)
    count("sent_resets", statistics.resetsSent)
    count("received_resets", statistics.resetsReceived)
    count("undelivered_messages", statistics.unreadDropped, ("reason", "unread"))
    count("dropped_receipts", statistics.receiptsDropped)
    count("recorded_packets", statistics.packetsRecorded)
    count("unrecorded_packets", statistics.packetsNotRecorded)
    count("removed_recordings", statistics.recordedFilesRemoved)
    for (reason, number) in statistics.drops { count("dropped_packets", number, ("reason", reason)) }
    for (kind, number) in statistics.sendErrorsByKind { count("send_errors", number, ("kind", kind)) }
  }

  /// What is counted by session only: the backend is told the sum, which must not fall when a session ends.
  private static let bySession: [(name: String, reason: String?, count: @Sendable (SessionStatistics) -> UInt64)] = [
    ("retransmitted_bytes", nil, { $0.bytesRetransmitted }), ("eager_copies", nil, { $0.eagerCopies }),
    ("needed_eager_copies", nil, { $0.eagerCopiesNeeded }),
    ("undelivered_messages", "expired", { $0.messagesExpired }),
    ("undelivered_messages", "superseded", { $0.messagesSuperseded }),
    ("undelivered_messages", "late", { $0.messagesLate }),
  ]

  private mutating func recordSessions(_ now: [Watch.Session]) {
    for (name, reason, counted) in Self.bySession {
      let key = name + (reason ?? "")
      for session in now {
        let told = sessions[session.handle].map(counted) ?? 0
        let number = counted(session.statistics)
        totals[key, default: 0] += number > told ? number - told : 0
      }
      count(name, totals[key] ?? 0, reason.map { ("reason", $0) })
    }
    sessions = Dictionary(now.map { ($0.handle, $0.statistics) }, uniquingKeysWith: { $1 })
  }

  // MARK: The backend

  private mutating func set(_ name: String, _ value: Double, _ dimension: (String, String)? = nil) {
    let key = name + (dimension?.1 ?? "")
    let meter =
      gauges[key]
      ?? Meter(label: "roamkey_\(name)", dimensions: dimensions + (dimension.map { [$0] } ?? []), factory: factory)
    gauges[key] = meter
    meter.set(value)
  }

  /// Of no sessions it is 0.
  private mutating func set(_ name: String, ofAll values: [Double]) {
    let sorted = values.sorted()
    set(name, sorted.isEmpty ? 0 : sorted[sorted.count / 2], ("statistic", "median"))
    set(name, sorted.last ?? 0, ("statistic", "max"))
  }

  /// `number` is what there has been since the beginning.
  private mutating func count(_ name: String, _ number: UInt64, _ dimension: (String, String)? = nil) {
    let key = name + (dimension?.1 ?? "")
    let entry =
      counters[key]
      ?? (
        Counter(
          label: "roamkey_\(name)_total", dimensions: dimensions + (dimension.map { [$0] } ?? []), factory: factory), 0
      )
    let step = number > entry.told ? number - entry.told : 0
    // Told even when it is 0: a series that is there from the start shows its first step.
    entry.counter.increment(by: Int64(clamping: step))
    counters[key] = (entry.counter, entry.told + step)
  }
}
