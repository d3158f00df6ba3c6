/// One end of a comparison, whatever library it stands for: a server with its peers, or a process of clients, which are
/// numbered from 0 in the order in which they came.
///
/// A workload is written once, generic over this, so that all are asked for the same. Who implements it may block: the
/// process does nothing else.
protocol Party: AnyObject {
  /// How many sessions there are.
  var peers: Int { get }

  /// - Returns: false when there is no room for it now.
  func send(_ bytes: [UInt8], to peer: Int, _ promise: Promise) throws(BenchmarkFailure) -> Bool

  /// To all peers, by the means that the library has for it.
  func broadcast(_ bytes: [UInt8], _ promise: Promise) throws(BenchmarkFailure)

  /// What was sent leaves now, where the library does not see to it by itself.
  func flush() throws(BenchmarkFailure)

  /// Returns when `send` may have room again.
  func waitForRoom(_ peer: Int) async throws(BenchmarkFailure)

  /// Waits for messages, and takes all that wait.
  /// - Parameter moment: until when it waits and takes; nil: until there is at least one.
  func receive(
    until moment: Monotonic?, _ take: (_ peer: Int, UnsafeRawBufferPointer) -> Void
  ) async throws(BenchmarkFailure)

  /// How many datagrams have left; nil where that is not told.
  var datagramsSent: Double? { get async }

  /// How many datagrams have left or come; nil where that is not told.
  var datagrams: Double? { get async }
}

extension Party {
  var datagramsSent: Double? { nil }
  var datagrams: Double? { nil }
}

/// What both sides are told of the sessions.
struct PartySettings: Sendable {
  /// How many sessions there are to be.
  var peers = 1
  /// Whether `receive` tells who sent a message: an app with one session need not look that up.
  var tellsPeers = false
  /// Of the clients: whether they come in and do no more.
  var rests = false
  /// Of the clients: where the server is.
  var port: UInt16 = 0
  /// Of the clients: the server's key, where it has one.
  var serverID = ""
}
