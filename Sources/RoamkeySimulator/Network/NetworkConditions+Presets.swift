/// Networks that players have, one direction each: a way there and back meets the delay twice.
extension NetworkConditions {
  /// Nothing is lost, and nothing takes time.
  public static let perfect = NetworkConditions()
  /// One room: 1 ms each way.
  public static let local = NetworkConditions(delay: .milliseconds(1))
  /// The internet at home: 20 ms each way, a little jitter, and more room than a game needs.
  public static let broadband = NetworkConditions(
    loss: 0.001, delay: .milliseconds(20), jitter: .milliseconds(4), keepsOrder: true)
  /// An old line with a bloated queue: 2 Mbit/s, and whoever fills it waits for a whole second.
  public static let dsl = NetworkConditions(
    loss: 0.0005, delay: .milliseconds(15), jitter: .milliseconds(2), keepsOrder: true, bandwidth: 250_000,
    queue: 256 << 10)
  /// A crowded Wi-Fi: a class of thirty shares it, so losses come in bursts and everything waits for its turn.
  public static let school = NetworkConditions(
    loss: 0.02, duplication: 0.002, delay: .milliseconds(8), jitter: .milliseconds(60), keepsOrder: true,
    reordering: 0.01, bandwidth: 60_000, queue: 32 << 10, bursts: Bursts(begin: 0.005, end: 0.1, loss: 0.7))
  /// A geostationary satellite: 300 ms each way, 10 Mbit/s.
  public static let satellite = NetworkConditions(
    loss: 0.005, delay: .milliseconds(300), jitter: .milliseconds(20), keepsOrder: true, bandwidth: 1_250_000,
    queue: 512 << 10)
  /// A phone on the train: losses come in bursts.
  public static let mobile = NetworkConditions(
    loss: 0.01, duplication: 0.001, delay: .milliseconds(50), jitter: .milliseconds(40), keepsOrder: true,
    reordering: 0.005, bandwidth: 500_000, queue: 256 << 10, bursts: Bursts(begin: 0.002, end: 0.2))
  /// A fifth is lost, a tenth comes twice, and little comes in order.
  public static let awful = NetworkConditions(
    loss: 0.2, duplication: 0.1, corruption: 0.01, delay: .milliseconds(30), jitter: .milliseconds(60))
}
