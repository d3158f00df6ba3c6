import RoamkeyWire

extension Session {
  /// What was measured and counted, as of now.
  func statistics(now: Instant) -> SessionStatistics {
    var statistics = counters
    statistics.isOffline = isOffline
    if rtt.hasSample {
      statistics.roundTrip = rtt.smoothed
      statistics.minimumRoundTrip = rtt.minimum
      statistics.jitter = rtt.variation
    }
    statistics.congestionWindow = congestion.window
    statistics.bytesInFlight = sent.bytesInFlight
    statistics.packetSize = mtu.current
    statistics.spuriousLosses = UInt64(sent.spuriousLosses)
    statistics.queuedBytes = queuedBytes
    return statistics
  }
}
