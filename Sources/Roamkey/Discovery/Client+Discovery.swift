public import RoamkeyCrypto
public import RoamkeyEngine
public import RoamkeyWire

extension Client {
  /// The servers on the local network, as a list that comes anew each time that it has changed, the first at once.
  ///
  ///     for await servers in try Client.servers(for: "galaxy/1") { show(servers) }
  ///
  /// It looks from now on, for as long as somebody holds the sequence or reads: see ``ServerBrowser``.
  /// - Parameter application: name and version of what is played (1 to 255 bytes); nil: whatever it is.
  /// - Throws: `RoamkeyError`: no application's name, or the system gives no socket.
  public static func servers(
    for application: String? = nil
  ) throws(RoamkeyError) -> some AsyncSequence<[FoundServer], Never> & Sendable {
    FoundServerSequence(browser: try ServerBrowser(for: application))
  }

  /// Connects to a server that was found, and to no other: its key is pinned.
  ///
  /// Parameters and errors are those of the initialiser with a host.
  public convenience init(
    key: consuming PlayerKey, server: FoundServer, name: String? = nil, requiring policy: SigningPolicy? = nil,
    loop: LoopMode = .ownThread, configuration: RoamkeyConfiguration = .init()
  ) async throws(RoamkeyError) {
    try await self.init(
      key: key, application: server.application, server: server.address.description, pinned: server.id,
      name: name, requiring: policy, loop: loop, configuration: configuration)
  }
}
