package import RoamkeyCrypto
package import RoamkeyEngine
internal import RoamkeyUDP

/// What somebody needs who watches a server or client from time to time. It does not keep it alive.
package struct Watch: Sendable {
  /// One session as it was at that moment. Its handle is never used again, whereas a player may come back.
  package struct Session: Sendable {
    package var handle: SessionHandle
    package var player: PlayerID
    package var statistics: SessionStatistics
  }

  /// What was seen at one moment.
  package struct Sample: Sendable {
    package var statistics: Statistics
    /// Those that were open, in the order of their handles.
    package var sessions: [Session]
  }

  /// Looks; nil when it was let go.
  package let sample: @Sendable () async -> Sample?
  /// Whether nothing new is to be seen any more.
  package let hasEnded: @Sendable () -> Bool
  /// Returns once it has ended, or when the task is cancelled.
  package let waitUntilEnded: @Sendable () async -> Void
}

extension Server {
  /// For somebody who watches this server.
  package var watch: Watch {
    Watch(
      sample: { [weak self] in
        guard let self else { return nil }
        return Watch.Sample(statistics: await statistics(), sessions: await sessions())
      },
      hasEnded: { [link] in link.isStopped }, waitUntilEnded: { [link] in await link.waitUntilStopped() })
  }
}

extension Client {
  /// For somebody who watches this client.
  package var watch: Watch {
    Watch(
      sample: { [weak self] in
        guard let self else { return nil }
        let session = await session()
        return Watch.Sample(statistics: await statistics(), sessions: session.map { [$0] } ?? [])
      },
      hasEnded: { [link] in if case .ended = link.phase { true } else { false } },
      waitUntilEnded: { [link] in await link.waitUntilEnded() })
  }
}
