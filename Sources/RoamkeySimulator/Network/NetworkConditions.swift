/// How a network treats datagrams in one direction. All zero: it delivers everything at once.
///
/// No value traps: a share outside of 0...1 counts as the nearer end, a negative duration or size as zero. What a
/// datagram meets, in this order: ``mtu``, ``queue`` and ``bandwidth``, ``bursts`` and ``loss``, ``duplication``,
/// ``delay`` and ``jitter``, ``reordering``, ``corruption``.
public struct NetworkConditions: Sendable, Equatable {
  /// Losses in a row: the network is good or bad, and goes from one to the other by chance (Gilbert and Elliott).
  public struct Bursts: Sendable, Equatable {
    /// The chance that a datagram begins a burst, 0 to 1.
    public var begin: Double { didSet { begin = begin.asShare } }
    /// The chance that a datagram of a burst ends it, 0 to 1.
    public var end: Double { didSet { end = end.asShare } }
    /// The share of datagrams lost inside of a burst, 0 to 1.
    public var loss: Double { didSet { loss = loss.asShare } }

    /// All three from 0 to 1.
    public init(begin: Double, end: Double, loss: Double = 1) {
      self.begin = begin.asShare
      self.end = end.asShare
      self.loss = loss.asShare
    }
  }

  // MARK: Chances

  /// The share of datagrams that never arrive, 0 to 1.
  public var loss: Double { didSet { loss = loss.asShare } }
  /// The share of datagrams that arrive twice, 0 to 1; each copy has a delay of its own.
  public var duplication: Double { didSet { duplication = duplication.asShare } }
  /// The share of datagrams with one bit flipped, 0 to 1.
  public var corruption: Double { didSet { corruption = corruption.asShare } }
  /// Losses in a row, beside `loss`; nil for none.
  public var bursts: Bursts?

  // MARK: Time

  /// How long every datagram takes at least.
  public var delay: Duration { didSet { delay = max(.zero, delay) } }
  /// How much longer it may take, by chance: more than the time between two datagrams reorders them, unless the network
  /// keeps the order.
  public var jitter: Duration { didSet { jitter = max(.zero, jitter) } }
  /// Whether jitter never lets a later datagram overtake an earlier one, as on a single line: it waits behind it.
  public var keepsOrder: Bool
  /// The share of datagrams that are held back by `reorderingDelay`, 0 to 1, so that later ones overtake them: also
  /// where the order is kept otherwise.
  public var reordering: Double { didSet { reordering = reordering.asShare } }
  /// How long datagrams are held back, beside all other delay.
  public var reorderingDelay: Duration { didSet { reorderingDelay = max(.zero, reorderingDelay) } }

  // MARK: Room

  /// Bytes of UDP payload a second that fit through, at least 1; nil for no limit.
  public var bandwidth: Int? { didSet { bandwidth = bandwidth.map { max(1, $0) } } }
  /// Bytes that may wait for the bandwidth, the datagram being sent included; one that finds no room is lost. So the
  /// longest wait is `queue / bandwidth` seconds. A line with nothing to send takes any datagram. Nil for no limit;
  /// without a bandwidth nothing ever waits.
  public var queue: Int? { didSet { queue = queue.map { max(0, $0) } } }
  /// The largest UDP payload that is carried, in bytes; larger ones vanish without a word. Nil for no limit.
  public var mtu: Int? { didSet { mtu = mtu.map { max(0, $0) } } }

  /// What a bottleneck's queue holds unless it is told otherwise: 64 KiB.
  public static let defaultQueue = 64 << 10

  /// Shares from 0 to 1, `bandwidth` in bytes a second, `queue` and `mtu` in bytes of UDP payload.
  public init(
    loss: Double = 0, duplication: Double = 0, corruption: Double = 0, delay: Duration = .zero,
    jitter: Duration = .zero, keepsOrder: Bool = false, reordering: Double = 0,
    reorderingDelay: Duration = .milliseconds(20), bandwidth: Int? = nil, queue: Int? = defaultQueue,
    mtu: Int? = nil, bursts: Bursts? = nil
  ) {
    self.loss = loss.asShare
    self.duplication = duplication.asShare
    self.corruption = corruption.asShare
    self.delay = max(.zero, delay)
    self.jitter = max(.zero, jitter)
    self.keepsOrder = keepsOrder
    self.reordering = reordering.asShare
    self.reorderingDelay = max(.zero, reorderingDelay)
    self.bandwidth = bandwidth.map { max(1, $0) }
    self.queue = queue.map { max(0, $0) }
    self.mtu = mtu.map { max(0, $0) }
    self.bursts = bursts
  }
}

extension Double {
  /// A share from 0 to 1; what is not a number is none.
  fileprivate var asShare: Double { self > 0 ? min(self, 1) : 0 }
}
