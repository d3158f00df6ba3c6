/// Who carries the datagrams of a ``Server`` or ``Client``.
public enum LoopMode: Sendable, Hashable {
  /// A thread of its own, which sleeps while there is nothing to do. The app looks when it likes; nothing depends on
  /// it. This is what nearly everybody wants.
  case ownThread
  /// The app's thread, and no other one: for a game loop that wants no second thread in its process, or an answer that
  /// leaves the moment its question has come.
  ///
  /// Datagrams then come and go inside of `takeEvents()`, `poll(for:)` and `flush()`, and nowhere else:
  /// acknowledgements, what is sent again, signs of life. So one of the first two must be called all the time, each
  /// frame, or at least some twenty times a second; and `flush()` at the end of a frame, or what the frame has sent
  /// leaves with the next one.
  ///
  /// In a longer pause nothing is lost that was promised: it waits on both sides, and a pause looks to the others like
  /// a bad network. After 20 s without a look they are told `offline`, and `offlineLimit` later the session is gone.
  /// What arrives meanwhile waits in the socket's buffer; what finds no room there is sent again, where it is reliable.
  ///
  /// All other calls are as ever, from any thread. What is awaited (connecting, `close`, `statistics`, `waitForRoom`,
  /// `waitUntilDisconnected`) carries datagrams meanwhile by itself; `events` and `receipts` do not: they bring what
  /// other calls have carried. A server's name is looked up on a thread that lives for that moment, and a server that
  /// has fallen silent is asked for on the local network on another one.
  case polled
}
