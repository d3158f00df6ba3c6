package import RoamkeyEngine
package import RoamkeyWire

/// What the simulator needs to know of an endpoint, server or client.
package protocol SimulatedEndpoint: DatagramHandler {
  /// Hands over what happened since the last call, in order.
  func drainEvents(into events: inout [EngineEvent])
  /// What it has counted.
  var statistics: EndpointStatistics { get }
  /// What messages say when they were sent by.
  var clock: LocalClock { get }
  /// Whether nothing is left to send.
  var isIdle: Bool { get }
  /// Queues a message for a session.
  func submit(_ content: [UInt8], _ options: MessageOptions, to session: SessionHandle, now: Instant) throws(SendError)
  /// Gives back credit of messages of a stream that the app has taken.
  func release(_ credit: Int, stream: StreamID, of session: SessionHandle, now: Instant)
}

extension ServerEndpoint: SimulatedEndpoint {
  package func submit(
    _ content: [UInt8], _ options: MessageOptions, to session: SessionHandle, now: Instant
  ) throws(SendError) {
    try send(content, options, to: session, now: now)
  }

  package func release(_ credit: Int, stream: StreamID, of session: SessionHandle, now: Instant) {
    consumed(credit, stream: stream, of: session, now: now)
  }
}

extension ClientEndpoint: SimulatedEndpoint {
  package func submit(
    _ content: [UInt8], _ options: MessageOptions, to session: SessionHandle, now: Instant
  ) throws(SendError) {
    try send(content, options, now: now)
  }

  package func release(_ credit: Int, stream: StreamID, of session: SessionHandle, now: Instant) {
    consumed(credit, stream: stream, now: now)
  }
}
