package import RoamkeyEngine

/// What the simulator needs to know of an endpoint, server or client.
package protocol SimulatedEndpoint: DatagramHandler {
  /// Hands over what happened since the last call, in order.
  func drainEvents(into events: inout [EngineEvent])
  /// What it has counted.
  var statistics: EndpointStatistics { get }
  /// Whether nothing is left to send.
  var isIdle: Bool { get }
  /// Queues a message for a session.
  func submit(_ content: [UInt8], to session: SessionHandle, now: Instant) throws(SendError)
  /// Gives back credit of messages that the app has taken.
  func release(_ credit: Int, of session: SessionHandle, now: Instant)
}

extension ServerEndpoint: SimulatedEndpoint {
  package func submit(_ content: [UInt8], to session: SessionHandle, now: Instant) throws(SendError) {
    try send(content, to: session, now: now)
  }

  package func release(_ credit: Int, of session: SessionHandle, now: Instant) {
    consumed(credit, of: session, now: now)
  }
}

extension ClientEndpoint: SimulatedEndpoint {
  package func submit(_ content: [UInt8], to session: SessionHandle, now: Instant) throws(SendError) {
    try send(content, now: now)
  }

  package func release(_ credit: Int, of session: SessionHandle, now: Instant) { consumed(credit, now: now) }
}
