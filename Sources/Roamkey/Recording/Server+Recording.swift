public import RoamkeyCrypto
internal import RoamkeyEngine
internal import RoamkeyWire

extension Server {
  /// Why nothing is recorded any more (`RoamkeyConfiguration.recording`), such as a full disk; nil while it is, and
  /// where it was not to be. The game goes on without.
  public var recordingError: RoamkeyError? { recorder?.error }

  /// The files that hold what a player has sent in the session that is open, or was last: evidence that
  /// `roamkey verify` and ``EvidenceReport/check(_:player:server:onMessage:)`` check on any machine.
  ///
  /// They are whole: what comes from now on goes to another file. The oldest may be gone already
  /// (``Recording/maximumFolderSize``). Copy them: they stay where they are until they are the oldest. It may be asked
  /// after `close` as well.
  /// - Parameter player: whose packets they are.
  /// - Returns: their paths, in the order of their parts; none where nothing was recorded of the player.
  /// - Throws: `RoamkeyError` where nothing is recorded, or recording has failed.
  public func exportEvidence(of player: PlayerID) async throws(RoamkeyError) -> [String] {
    guard let recorder else { throw Recorder.off }
    return try await recorder.export(player)
  }
}

extension Client {
  /// Why nothing is recorded any more (`RoamkeyConfiguration.recording`), such as a full disk; nil while it is, and
  /// where it was not to be. The game goes on without.
  public var recordingError: RoamkeyError? { recorder?.error }

  /// The files that hold what the server has sent to this client, in all of its sessions: evidence that
  /// `roamkey verify` and ``EvidenceReport/check(_:player:server:onMessage:)`` check on any machine.
  ///
  /// They are whole: what comes from now on goes to another file. The oldest may be gone already
  /// (``Recording/maximumFolderSize``). Copy them: they stay where they are until they are the oldest. It may be asked
  /// after `close` as well.
  /// - Returns: their paths, in the order in which they were begun.
  /// - Throws: `RoamkeyError` where nothing is recorded, or recording has failed.
  public func exportEvidence() async throws(RoamkeyError) -> [String] {
    guard let recorder else { throw Recorder.off }
    return try await recorder.export(nil)
  }
}

extension Recorder {
  static let off = RoamkeyError(.cannotRecord, "nothing is recorded here: set `recording` in the configuration")

  /// One for who has this key, where something is to be recorded.
  static func make(
    _ key: borrowing PlayerKey, _ configuration: RoamkeyConfiguration, _ policy: SigningPolicy?
  ) throws(RoamkeyError) -> Recorder? {
    guard let recording = configuration.recording else { return nil }
    guard policy != .sealedOnly else { throw RoamkeyError(unsigned: "with sealedOnly packets") }
    return try Recorder(recording, key: key.withSeed { PlayerKey(seed: SecretBytes(copying: $0)) })
  }
}

extension RoamkeyError {
  /// - Parameter who: whose packets have no signatures.
  init(unsigned who: String) {
    self.init(
      .cannotRecord,
      "\(who) are not signed, so that nothing of them can be recorded as evidence: use everyPacket, or do not record")
  }
}
