import RoamkeyWire

/// Between which networks a path leads: what was measured holds for as long as this is the same.
struct NetworkKey: Equatable, Sendable {
  /// What is known of our own end.
  enum Here: Equatable, Sendable {
    /// Nothing but that it was changed so often.
    case counted(UInt64)
    case route(Route)
    case door(NetworkAddress)
  }

  var remote: UInt128
  var here: Here
}

/// What was learnt of a path: kept for a while when it is left, since many come back (PROTOCOL §5.8).
struct PathMetrics: Sendable {
  var rtt: RTTEstimator
  var congestion: NewReno
  var pacer: Pacer
  var mtu: MTUDiscovery
  var lossMeter: LossMeter
  var eager: EagerCopies
}

/// What was learnt of a path that was left. An object of its own: few sessions have one.
final class FormerPath {
  let key: NetworkKey
  let metrics: PathMetrics
  let until: Instant

  init(_ key: NetworkKey, _ metrics: PathMetrics, until: Instant) {
    self.key = key
    self.metrics = metrics
    self.until = until
  }
}

extension Session {
  var metrics: PathMetrics {
    get {
      PathMetrics(rtt: rtt, congestion: congestion, pacer: pacer, mtu: mtu, lossMeter: lossMeter, eager: eager)
    }
    set {
      (rtt, congestion, pacer) = (newValue.rtt, newValue.congestion, newValue.pacer)
      (mtu, lossMeter, eager) = (newValue.mtu, newValue.lossMeter, newValue.eager)
    }
  }

  /// What was under way will not arrive where the peer is now, or not from where we are: it is sent again at once. On
  /// another network, nothing that was learnt of the old one holds (RFC 9000 §9.4).
  func pathChanged(to key: NetworkKey, now: Instant) {
    probeCount = 0
    isBlocked = false
    silence.end()
    if rtt.hasSample {
      challengePause = min(max(probeTimeout, Self.shortestChallengePause), Self.longestChallengePause)
    }
    sent.abandonAll(now: now, into: &lostFrames)
    requeueLost(now: now)
    mtu.onProbeAbandoned()
    guard key != networkKey else { return }
    let left = FormerPath(networkKey, metrics, until: now + probeTimeout * Self.keptProbeTimeouts)
    if let formerPath, formerPath.key == key, now < formerPath.until {
      metrics = formerPath.metrics
    } else {
      rtt.reset()
      congestion.reset()
      pacer.reset()
      mtu.reset()
      lossMeter.reset()
      eager.reset()
    }
    formerPath = left
    networkKey = key
    peerClock.reset(now: now)
    congestion.maximumDatagramSize = mtu.current
  }

  private static let shortestChallengePause = Duration.milliseconds(100)
  static let longestChallengePause = Duration.seconds(1)
  /// Probe timeouts for which what was learnt of a path is kept.
  private static let keptProbeTimeouts = 3
}
