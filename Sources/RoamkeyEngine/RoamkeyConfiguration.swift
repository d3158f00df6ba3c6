/// Every limit and timer of the library, each with its reason. The defaults are for a game on the open internet.
public struct RoamkeyConfiguration: Sendable {
  public init() {}

  // MARK: Messages

  /// The longest message in bytes, action and body together. Longer ones throw at `send`. A bound, since a receiver
  /// keeps what has come until the last piece is there.
  public var maximumMessageSize = 1 << 20
  /// How many bytes may wait to be sent or acknowledged in one session; what exceeds it throws at `send`. An empty
  /// queue takes any message. With 1 MiB a player of a dead network costs no more than that.
  public var sendQueueLimit = 1 << 20
  /// How many bytes of reliable messages the other side may send before the app has taken them. It bounds the memory
  /// that a slow reader costs. The longest message must fit: a smaller value counts as just enough for it.
  public var receiveCredit = 4 << 20
  /// How much of that one channel may take, in bytes, for each of its two reliable modes: half, so that a channel that
  /// is not read does not hold up the others. The longest message must fit: a smaller value counts as just enough.
  public var channelReceiveCredit = 2 << 20
  /// How many bytes of `latest` and `unreliable` messages of one session may wait for the app to take them. They have
  /// no credit, so beyond that the oldest of them, whose news is stale, are dropped: a game that reads each frame never
  /// gets there. Each message counts 288 bytes more than it has, which is what a small one costs in memory.
  public var unreadUnreliableLimit = 256 << 10
  /// What is granted in fact: at most 2^40 bytes, so that "no limit" fits the wire for as long as a session lasts.
  package var creditWindow: UInt64 {
    UInt64(min(max(receiveCredit, messageLimit + Channels.maximumMessageOverhead), 1 << 40))
  }
  /// The same for a channel; what a session may use bounds it as well.
  package var channelCreditWindow: UInt64 {
    UInt64(min(max(channelReceiveCredit, messageLimit + Channels.maximumMessageOverhead), 1 << 40))
  }
  /// What `maximumMessageSize` means in fact: at most 1 GiB, since pieces are remembered by 32 bits.
  package var messageLimit: Int { min(max(0, maximumMessageSize), 1 << 30) }
  /// How many messages of several pieces may be incomplete at a time in one session (PROTOCOL §9.4).
  package var partialMessageLimit = 64
  /// Events that the app has not taken, beyond which a server turns newcomers away and changes that ask nothing of the
  /// app (roamed, offline, online) are not told: an app that does not read must not fill the memory. Each is some 100
  /// bytes.
  package var unreadEventLimit = 1 << 16
  /// The same for the bytes of unread messages, in all sessions together (PROTOCOL §7: 256 MiB a process).
  package var unreadByteLimit = 256 << 20

  /// Where what is received is kept as evidence; nil, the default, keeps nothing.
  public var recording: Recording?

  /// When messages leave.
  public var flushPolicy = FlushPolicy.atOnce

  // MARK: Staying in touch

  /// After this much silence of the other side a ping goes out. 5 s holds the NAT bindings of all but odd routers. Less
  /// than 100 ms counts as 100 ms.
  public var keepAliveInterval: Duration = .seconds(5)
  /// After this many keep-alive intervals without a sign of life the other side is `offline`.
  public var missesUntilOffline = 4
  /// How long an offline session waits for a network before it ends: 5 minutes, a walk to the next Wi-Fi.
  public var offlineLimit: Duration = .seconds(300)
  /// After this long without a message either way a session is `quiet`: nobody plays, and there is no hurry to notice
  /// that somebody is gone. A minute is longer than most pauses of a game.
  public var quietAfter: Duration = .seconds(60)
  /// How often a quiet session pings: just enough to hold a NAT binding, which routers keep for 30 s or more. Less than
  /// `keepAliveInterval` counts as that. While quiet, the other side is `offline` after this and another
  /// `missesUntilOffline - 1` keep-alive intervals, 40 s, in which nothing of it was heard.
  public var quietInterval: Duration = .seconds(25)
  /// How long a session may rest (an app says that it does: lobby, game over) and hear nothing before it ends. While it
  /// rests nothing is sent, and nobody is `offline`. Two hours: supper, or a film; each player costs a few KiB
  /// meanwhile. No NAT keeps its binding for that long, so that a server may not reach a resting client: the client is
  /// the one to wake the session.
  public var restingLimit: Duration = .seconds(7200)
  /// How long a client tries to reach a server before it gives up.
  public var handshakeTimeout: Duration = .seconds(10)
  /// How much longer a client waits once it has seen an answer that it cannot accept (another key, another version):
  /// the right server may still answer behind somebody's forgery.
  package var doubtfulAnswerPatience: Duration = .seconds(2)

  /// Whether a client whose way to its server has fallen silent may try the machine's other interfaces (a mesh beside
  /// the Wi-Fi). If not, it keeps to the way that the system chooses. Around a tunnel, such as a VPN's, it never goes.
  public var usesOtherInterfaces = true

  /// Whether a client whose server has fallen silent also asks the local network for the server's key. Whoever is on
  /// that network sees that somebody asks, not for whom.
  public var searchesLocalNetwork = true

  // MARK: Server

  /// How many players at once. Each costs a few KiB when idle.
  public var maximumSessions = 1024
  /// How many players from one IPv4 address or IPv6 /64: a household or a school class, not a flood.
  public var maximumSessionsPerPrefix = 32
  /// Ignores newcomers who do not know the server's key, so that scanners see nothing; nor does it answer on the local
  /// network.
  public var isQuiet = false
  /// How many handshakes may be under way; each holds about 2 KiB.
  package var halfOpenLimit = 1024
  /// From this many handshakes on, a newcomer proves its address with a cookie before any public-key work.
  package var retryThreshold = 256
  /// How long an unfinished handshake is kept: more than a client's longest pause between two tries.
  package var halfOpenLifetime: Duration = .seconds(10)
  /// Packets kept that arrived before the Finish that explains them.
  package var heldPacketLimit = 4
  /// Sessions that were refused or replaced and still say so, beside those of the players: 8 KiB of memory each, for
  /// some seconds.
  package var farewellLimit = 1024
  /// How long a cookie is valid, and how often the cookie key is renewed (PROTOCOL §1).
  package var cookieLifetime: Duration = .seconds(60)
  package var cookieKeyLifetime: Duration = .seconds(120)

  // MARK: Packets

  /// The largest packet in bytes of UDP payload, 1200 to 1400; other values count as the nearest of these. Packets have
  /// 1200 bytes at first, which every network carries; larger ones are used once probes have shown that the path takes
  /// them. 1400 leaves room for the headers of IPv6 and of a tunnel or two in Ethernet's 1500. 1200: nothing is probed.
  public var maximumPacketSize = 1400
  /// What `maximumPacketSize` means in fact: at least the base.
  package var packetSizeLimit: Int { min(max(maximumPacketSize, packetSize, 1200), maximumDatagramSize) }
  /// The size of a full packet before any probe has arrived, in bytes of UDP payload: what IPv6 carries everywhere,
  /// QUIC's own starting point.
  package var packetSize = 1200
  /// The size of the ids that a client asks the server to put on its packets: 0, since its socket is its own.
  package var clientConnectionIDSize = 0
  /// The longest delay of an acknowledgement (RFC 9000 §18.2).
  package var maximumAckDelay: Duration = .milliseconds(25)
  /// The same where nothing in the packets is ever sent again (PROTOCOL §10.1): the tick of a game at 20 Hz, and a
  /// little, so that it rides along with what the game says next.
  package var patientAckDelay: Duration = .milliseconds(60)
  /// How long a patient packet may go unanswered until somebody is missed: acknowledgements are so far apart that one
  /// of them may be lost without a word.
  var longestAnswerDelay: Duration { longestAckDelay * 2 }
  /// The longer of the two.
  var longestAckDelay: Duration { max(maximumAckDelay, patientAckDelay) }
  /// An acknowledgement goes out at once for every this many packets (RFC 9000 §13.2.2).
  package var ackElicitingThreshold = 2
  /// The longest probe timeout while online, and while offline (PROTOCOL §10.4): a dead network that comes back is
  /// noticed within that time.
  package var probeTimeoutCap: Duration = .seconds(2)
  package var offlineProbeTimeoutCap: Duration = .seconds(5)
  /// When keys are renewed (PROTOCOL §2).
  package var keyUpdatePacketCount: UInt64 = 1 << 20
  package var keyUpdateInterval: Duration = .seconds(900)
}
