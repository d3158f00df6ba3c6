/// What came of a run with cuts.
struct CutsOutcome: Sendable {
  struct Cut: Sendable {
    var start: Monotonic
    var end: Monotonic
    /// UDP payload that ended at the cut.
    var bytesUp: Int
    var bytesDown: Int
  }

  /// One way: what one side has sent, and what the other was told.
  struct Direction: Sendable {
    var sender: CutsSender
    var inbox: CutsInbox

    func missing(_ stream: CutsStream) -> Int { sender.sent[stream, default: 0] - inbox.count(stream) }
  }

  var cuts: [Cut]
  var up: Direction
  var down: Direction
  /// Sessions that the server has counted.
  var sessions: UInt64
  var relay: Relay.Report

  /// Every promise that was broken, in a sentence each.
  var failures: [BenchmarkFailure] {
    var failures = [up.inbox.failure, down.inbox.failure].compactMap(\.self)
    func fail(_ what: String) { failures.append(BenchmarkFailure(what)) }
    for (direction, name) in [(up, "to the server"), (down, "to the client")] {
      for stream in CutsStream.allCases where stream.promise.isReliable && direction.missing(stream) != 0 {
        fail("\(direction.missing(stream)) of \(stream) are missing \(name)")
      }
      for stream in CutsStream.allCases where direction.inbox.count(stream) == 0 {
        fail("nothing of \(stream) came \(name)")
      }
      check(direction.inbox, name, fail)
    }
    if sessions != 1 { fail("the server has had \(sessions) sessions") }
    if relay.overruns > 0 { fail("the relay lost \(relay.overruns) datagrams it did not read") }
    return failures
  }

  private func check(_ inbox: CutsInbox, _ name: String, _ fail: (String) -> Void) {
    if inbox.offline.count != inbox.online.count {
      fail("offline was told \(inbox.offline.count) times, online \(inbox.online.count) times (\(name))")
    }
    for (index, cut) in cuts.enumerated() {
      let length = cut.end - cut.start
      let told = inbox.offline.count { cut.start < $0 && $0 < cut.end + CutSchedule.pause }
      if length >= CutsRun.surelyOffline, told != 1 {
        fail("offline was told \(told) times in cut \(index + 1) (\(name))")
      }
      if length <= CutsRun.surelyOnline, told != 0 { fail("offline was told in a cut of \(length) (\(name))") }
      // The cut must be one: what came meanwhile had arrived before it, and was only handed over.
      if inbox.arrivals.contains(where: { cut.start + .seconds(1) < $0.at && $0.at < cut.end }) {
        fail("messages arrived during cut \(index + 1) (\(name))")
      }
      if inbox.caughtUp(after: cut.end) == nil { fail("nothing came after cut \(index + 1) (\(name))") }
    }
  }
}
