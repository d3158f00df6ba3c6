internal import RoamkeyEngine
internal import RoamkeyUDP

/// What a server or client has counted since it began.
public struct Statistics: Sendable, Hashable {
  /// Players who are in now; 1 on a connected client.
  public internal(set) var players = 0
  public internal(set) var datagramsReceived: UInt64 = 0
  /// UDP payload, as are the bytes sent.
  public internal(set) var bytesReceived: UInt64 = 0
  public internal(set) var datagramsSent: UInt64 = 0
  public internal(set) var bytesSent: UInt64 = 0
  public internal(set) var messagesReceived: UInt64 = 0
  public internal(set) var messagesSent: UInt64 = 0
  /// Packets that were lost on the way; what they carried was sent again.
  public internal(set) var packetsLost: UInt64 = 0
  /// Server on several threads: players' signatures that a thread with nothing else to do has verified for one that had
  /// many.
  public internal(set) var signaturesVerifiedElsewhere: UInt64 = 0
  /// Sessions that have begun.
  public internal(set) var sessions: UInt64 = 0
  /// Newcomers who were turned away.
  public internal(set) var refusals: UInt64 = 0
  /// Validated changes of address.
  public internal(set) var moves: UInt64 = 0
  /// Server: packets of sessions from before it was started, answered with the word that it knows them no more.
  public internal(set) var resetsSent: UInt64 = 0
  /// Client: sessions that its server knew no more.
  public internal(set) var resetsReceived: UInt64 = 0
  /// Sends that the system refused (no network, a firewall); what they carried was sent again.
  public internal(set) var sendErrors: UInt64 = 0
  /// Datagrams that were dropped, by reason (such as `replayed`); reasons that did not occur are not listed.
  public internal(set) var drops: [String: UInt64] = [:]

  /// Messages of `latest` and `unreliable` that the app did not take in time (`unreadUnreliableLimit`).
  public internal(set) var unreadDropped: UInt64 = 0
  /// Receipts that the app did not take in time: the newest 65,536 are kept.
  public internal(set) var receiptsDropped: UInt64 = 0
  /// Packets that were written down as evidence (`RoamkeyConfiguration.recording`).
  public internal(set) var packetsRecorded: UInt64 = 0
  /// Packets that were to be written down and were not: the disk did not keep up, or has failed.
  public internal(set) var packetsNotRecorded: UInt64 = 0
  /// Files of evidence that had to go, since their folder was full (`Recording.maximumFolderSize`).
  public internal(set) var recordedFilesRemoved: UInt64 = 0
  /// Sends that the system refused, by kind; kinds that did not occur are not listed.
  ///
  /// `unreachable`: no network or no route. `forbidden`: a firewall. `noAddress`: the local address has gone.
  /// `noBuffer`: no memory, or a full device. `refused`: nobody listens there. `tooLarge`, `invalid`, `other`.
  public internal(set) var sendErrorsByKind: [String: UInt64] = [:]

  /// All dropped datagrams together.
  public var dropped: UInt64 { drops.values.reduce(0, +) }

  init(
    _ endpoint: EndpointStatistics, sockets: SocketStatistics, unreadDropped: UInt64, receiptsDropped: UInt64 = 0,
    players: Int, recorder: Recorder.Counts? = nil
  ) {
    self.players = players
    if let recorder { set(recorder) }
    datagramsReceived = endpoint.datagramsReceived
    bytesReceived = endpoint.bytesReceived
    datagramsSent = endpoint.datagramsSent
    bytesSent = endpoint.bytesSent
    messagesReceived = endpoint.messagesReceived
    messagesSent = endpoint.messagesSent
    packetsLost = endpoint.packetsLost
    signaturesVerifiedElsewhere = endpoint.signaturesVerifiedElsewhere
    sessions = endpoint.sessionsOpened
    refusals = endpoint.refusals
    moves = endpoint.moves
    resetsSent = endpoint.resetsSent
    resetsReceived = endpoint.resetsReceived
    sendErrors = sockets.sendFailures.total
    sendErrorsByKind = sockets.sendFailures.byKind
    self.unreadDropped = unreadDropped
    self.receiptsDropped = receiptsDropped
    for reason in DropReason.allCases where endpoint[reason] > 0 { drops["\(reason)"] = endpoint[reason] }
  }
}

extension Statistics {
  fileprivate mutating func set(_ recorder: Recorder.Counts) {
    packetsRecorded = recorder.recorded
    packetsNotRecorded = recorder.notRecorded
    recordedFilesRemoved = recorder.filesRemoved
  }

  /// With what a recorder has counted since: it ends after everything else.
  func with(_ recorder: Recorder?) -> Self {
    var result = self
    if let recorder { result.set(recorder.counts) }
    return result
  }
}

extension SocketStatistics.Failures {
  /// The kinds that occurred.
  var byKind: [String: UInt64] {
    let counts = [
      "unreachable": unreachable, "forbidden": forbidden, "noAddress": noAddress, "noBuffer": noBuffer,
      "refused": refused, "tooLarge": tooLarge, "invalid": invalid, "other": other,
    ]
    return counts.filter { $0.value > 0 }
  }
}
