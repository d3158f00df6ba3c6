import RoamkeyWire

extension Session {
  /// What was measured and counted, as of now.
  func statistics(now: Instant) -> SessionStatistics {
    var statistics = counters
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
