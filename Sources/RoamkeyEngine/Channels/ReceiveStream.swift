import RoamkeyWire

/// One stream as its receiver sees it.
struct ReceiveStream: Sendable {
  let id: StreamID
  /// The sequences that need nothing more: handed out, or given up by their sender. An ordered stream hands out the
  /// message at the floor; a `latest` one drops what is below.
  var settled = SequenceWindow()
  /// Reliable messages of which something is here that may not be handed out yet.
  var waiting: [UInt64: PartialMessage] = [:]
  var window: CreditWindow
  /// It stands in the list of those that owe the peer a new limit.
  var isListed = false

  init(id: StreamID, window: UInt64) {
    self.id = id
    self.window = CreditWindow(size: window)
  }
}
