extension Session {
  /// Whether new messages wait for others to share their packet.
  func isBundling(now: Instant) -> Bool {
    guard let bundlesUntil else { return false }
    if now < bundlesUntil { return true }
    flush()
    return false
  }

  /// What waits leaves.
  func flush() {
    bundlesUntil = nil
    bundledBytes = 0
  }

  /// Decides when a message that was queued just now leaves.
  func bundle(_ size: Int, _ options: MessageOptions, now: Instant) {
    switch context.configuration.flushPolicy {
    case .atOnce: return
    case .after(let delay):
      if bundlesUntil == nil { bundlesUntil = now + max(delay, .zero) }
      bundledBytes += size
      // A full packet gains nothing by waiting.
      if bundledBytes >= mtu.current { flush() }
    case .manual: bundlesUntil = .distantFuture
    }
    if options.priority == .immediate { flush() }
  }
}
