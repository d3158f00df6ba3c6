internal import Roamkey

/// Where the demo plays: on loopback addresses of this machine, in real time, or on a simulated network.
///
/// The story tells it what happens, and asks what came of that.
protocol DemoStage: AnyObject {
  var serverID: PlayerID { get }
  var serverAddress: NetworkAddress { get }
  /// What was seen so far.
  var record: DemoRecord { get }
  /// Datagrams of Ada's, or to her, that did not arrive.
  var datagramsLost: Int { get }
  /// Ada's packets that somebody has copied.
  var packetsCopied: Int { get }

  func id(of speaker: DemoRecord.Speaker) -> PlayerID
  /// Where the server sees somebody.
  func place(of speaker: DemoRecord.Speaker) -> NetworkAddress?

  // MARK: What the players do

  /// Both join, and their games begin to send.
  func begin() async throws(Failure)
  /// Sends something as the next message of a player's stream.
  func say(_ text: String, _ speaker: DemoRecord.Speaker) async
  /// The games send no more by themselves.
  func stopSteps()
  /// All of them leave.
  func end() async

  // MARK: What happens to Ada

  /// One packet in twelve is lost, and somebody copies those that are not.
  func enterCafe()
  func stopCopying()
  func move(to place: DemoPlace) throws(Failure)
  /// Her router forgets her: her port changes without her doing.
  func forgetPort()
  func cutOff()
  func endCut()

  // MARK: What others try

  /// Joins with a key that is not on the list. Whether it was refused for that.
  func poseAsPlayer() async -> Bool
  /// Meets somebody who has pinned another server's key. Whether she has hung up for that.
  func poseAsServer() async -> Bool
  /// Sends all that was copied again, from an address that Ada never had.
  func replay() async throws(Failure) -> DemoReplay

  // MARK: Time

  func pass(_ duration: Duration) async
  /// Lets time pass until the record shows it.
  func wait(for what: String, _ condition: @escaping @Sendable (DemoRecord) -> Bool) async throws(Failure)
  /// Lets time pass until so many packets were copied.
  func waitForCopies(_ count: Int) async
}

/// The networks that Ada walks through after the cafe.
enum DemoPlace: UInt8 {
  case phone = 3
  case train = 4
  case home = 5
}

/// What came of sending old packets again.
struct DemoReplay: Sendable {
  var sent: Int
  var dropped: Int
  /// Whether Ada's address, and what was delivered, are what they were.
  var changedNothing: Bool
}

extension DemoStage {
  /// Why it was waited in vain.
  func vain(_ what: String, after limit: String) -> Failure {
    let reason = record.lastReason.map { " (a session ended: \($0))" } ?? ""
    return Failure(code: "demo", "waited \(limit) in vain for \(what)\(reason)")
  }
}
