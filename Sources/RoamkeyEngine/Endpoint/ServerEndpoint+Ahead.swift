import RoamkeyWire

// Verifying ahead (docs/decisions/0024-verifying-ahead.md): before a batch of datagrams is received, the signatures in
// it are verified together with threads that have nothing else to do. What is received is then the same, only sooner.

extension ServerEndpoint {
  /// A server that has idle threads beside this one, and whose packets are signed.
  package var looksAhead: Bool {
    guard let board = shard?.board, settings.signingPolicy == .everyPacket else { return false }
    return board.hasIdleHelpers
  }

  package func lookAhead(at datagram: RawSpan) {
    guard context.ahead.takesMore, datagram.byteCount > 0,
      ShortHeader.isShort(datagram.unsafeLoad(as: UInt8.self))
    else { return }
    var position = 1
    guard let id: UInt64 = try? datagram.readInteger(at: &position), let session = sessionsByConnectionID[id]
    else { return }
    context.ahead.add(datagram, of: session)
  }

  package func beginBatch() {
    guard let board = shard?.board else { return }
    context.statistics.signaturesVerifiedElsewhere += UInt64(context.ahead.verify(on: board))
  }

  package func endBatch() { context.ahead.removeAll() }
}
