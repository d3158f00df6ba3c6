import RoamkeyWire

/// What a session itself counts of its statistics.
struct SessionCounters: Sendable {
  var packetsSent: UInt64 = 0
  var packetsReceived: UInt64 = 0
  var bytesSent: UInt64 = 0
  var bytesReceived: UInt64 = 0
  var messagesSent: UInt64 = 0
  var messagesReceived: UInt64 = 0
  var packetsLost: UInt64 = 0
  var moves: UInt64 = 0
}

extension Session {
  /// What was measured and counted, as of now.
  func statistics(now: Instant) -> SessionStatistics {
    var statistics = SessionStatistics()
    statistics.packetsSent = counters.packetsSent
    statistics.packetsReceived = counters.packetsReceived
    statistics.bytesSent = counters.bytesSent
    statistics.bytesReceived = counters.bytesReceived
    statistics.packetsLost = counters.packetsLost
    statistics.messagesSent = counters.messagesSent
    statistics.messagesReceived = counters.messagesReceived
    statistics.moves = counters.moves
    statistics.isOffline = isOffline
    statistics.presence = keepAlive.presence(now: now)
    if rtt.hasSample {
      statistics.roundTrip = rtt.smoothed
      statistics.minimumRoundTrip = rtt.minimum
      statistics.jitter = rtt.variation
    }
    statistics.loss = lossMeter.share
    statistics.congestionWindow = congestion.window
    statistics.bytesInFlight = sent.bytesInFlight
    statistics.packetSize = mtu.current
    statistics.spuriousLosses = UInt64(sent.spuriousLosses)
    statistics.clockError = peerClock.errorBound(at: now)
    statistics.clockDrift = peerClock.skewPartsPerMillion ?? 0
    addDelivery(channels.counters, to: &statistics)
    statistics.queuedBytes = channels.queuedBytes
    statistics.queuedMessages = channels.queuedMessages
    return statistics
  }

  private func addDelivery(_ delivery: DeliveryCounters, to statistics: inout SessionStatistics) {
    statistics.bytesRetransmitted = delivery.retransmittedBytes
    statistics.eagerCopies = delivery.copiesSent
    statistics.eagerCopiesNeeded = delivery.copiesNeeded
    statistics.messagesExpired = delivery.expiredMessages
    statistics.messagesSuperseded = delivery.supersededMessages
    statistics.messagesLate = delivery.lateMessages
  }
}
