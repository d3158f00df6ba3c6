/// How a network treats datagrams in one direction. All zero: it delivers everything at once.
public struct NetworkConditions: Sendable, Equatable {
  /// Losses in a row: the network is good or bad, and goes from one to the other by chance (Gilbert's model).
  public struct Bursts: Sendable, Equatable {
    /// The chance that a datagram begins a burst, and that it ends one.
    public var begin: Double
    public var end: Double
    /// The share of datagrams lost inside of a burst.
    public var loss: Double

    public init(begin: Double, end: Double, loss: Double = 1) {
      self.begin = begin
      self.end = end
      self.loss = loss
    }
  }

  /// The share of datagrams that never arrive, 0 to 1.
  public var loss = 0.0
  /// The share of datagrams that arrive twice, each copy with a delay of its own.
  public var duplication = 0.0
  /// The share of datagrams with one bit flipped.
  public var corruption = 0.0
  /// How long every datagram takes at least.
  public var delay = Duration.zero
  /// How much longer it may take: more than the time between two datagrams reorders them.
  public var jitter = Duration.zero
  public var bursts: Bursts?

  public init(
    loss: Double = 0, duplication: Double = 0, corruption: Double = 0, delay: Duration = .zero,
    jitter: Duration = .zero, bursts: Bursts? = nil
  ) {
    self.loss = loss
    self.duplication = duplication
    self.corruption = corruption
    self.delay = delay
    self.jitter = jitter
    self.bursts = bursts
  }

  /// Nothing is lost, and nothing takes time.
  public static let perfect = NetworkConditions()
  /// One room: 1 ms each way.
  public static let local = NetworkConditions(delay: .milliseconds(1))
  /// The internet at home: 20 ms each way, a little jitter.
  public static let broadband = NetworkConditions(loss: 0.001, delay: .milliseconds(20), jitter: .milliseconds(4))
  /// A phone on the train: losses come in bursts.
  public static let mobile = NetworkConditions(
    loss: 0.01, duplication: 0.001, delay: .milliseconds(50), jitter: .milliseconds(40),
    bursts: Bursts(begin: 0.002, end: 0.2))
  /// A fifth is lost, a tenth comes twice, and little comes in order.
  public static let awful = NetworkConditions(
    loss: 0.2, duplication: 0.1, corruption: 0.01, delay: .milliseconds(30), jitter: .milliseconds(60))
}
