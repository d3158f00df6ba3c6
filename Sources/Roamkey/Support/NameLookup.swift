internal import RoamkeyEngine
internal import RoamkeyUDP
internal import RoamkeyWire

/// Looks a server's name up again while the server is silent: it may stand for other addresses by now.
///
/// That blocks, for seconds when the network is bad, so it has a thread of its own, and never two of them.
final class NameLookup: Sendable {
  /// The addresses of a `host:port`; it blocks.
  typealias Resolver = @Sendable (_ hostPort: String) throws(HostError) -> [NetworkAddress]

  private let text: String
  private let resolve: Resolver
  private let isUnderWay = Locked(false)

  init(_ text: String, _ resolve: @escaping Resolver) {
    self.text = text
    self.resolve = resolve
  }

  /// Whether the text stands for one address, and always for the same.
  private var isNumeric: Bool { (try? NetworkAddress(text, defaultPort: Client.defaultPort)) != nil }

  /// What the text stands for. An address in figures takes no look-up, and no thread.
  func addresses() async throws(RoamkeyError) -> [NetworkAddress] {
    do throws(HostError) {
      if isNumeric { return try resolve(text) }
      let result = await withCheckedContinuation { (continuation: CheckedContinuation<Result<_, HostError>, Never>) in
        runOnOwnThread { [text, resolve] in
          continuation.resume(returning: Result { () throws(HostError) in try resolve(text) })
        }
      }
      return try result.get()
    } catch {
      throw RoamkeyError(error)
    }
  }

  /// Looks again, and hands over what was found. Nothing happens for an address in figures, and while a look-up is
  /// under way; one that fails is not told of, since the server is looked for anyway.
  func again(_ found: @escaping @Sendable ([NetworkAddress]) -> Void) {
    guard !isNumeric else { return }
    let begins = isUnderWay.withLock { isUnderWay in
      defer { isUnderWay = true }
      return !isUnderWay
    }
    guard begins else { return }
    let isStarted = startOwnThread { [self] in
      let addresses = try? resolve(text)
      isUnderWay.withLock { $0 = false }
      if let addresses { found(addresses) }
    }
    // The next time, then: who asks is the loop.
    if !isStarted { isUnderWay.withLock { $0 = false } }
  }
}
