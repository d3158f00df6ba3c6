import Testing

@testable import RoamkeyEngine

/// Deadlines of many sessions wait in slices: what is due comes in time all the same.
@Suite struct ManyTimersTests {
  /// When the server notices that its clients have fallen silent, and when it gives them up, since they did; from the
  /// earliest to the latest of them.
  private func silence(of count: Int) throws -> (
    offline: ClosedRange<Duration>, left: ClosedRange<Duration>, steps: Int
  ) {
    var configuration = RoamkeyConfiguration()
    configuration.maximumSessionsPerPrefix = count
    let crowd = Crowd(count, configuration: configuration)
    let start = crowd.now
    var offline: [Duration] = []
    var left: [Duration] = []
    var steps = 0
    while left.count < count, crowd.now - start < .seconds(1000) {
      steps += 1
      let due = try #require(crowd.server.nextTimeout)
      crowd.now = max(crowd.now, due)
      crowd.server.handleTimeout(now: crowd.now)
      _ = crowd.flush(crowd.server)
      while let event = crowd.server.takeEvent() {
        switch event {
        case .offline: offline.append(crowd.now - start)
        case .left: left.append(crowd.now - start)
        default: break
        }
      }
    }
    #expect(offline.count == count && left.count == count)
    let range = { (times: [Duration]) in (times.min() ?? .zero)...(times.max() ?? .zero) }
    return (range(offline), range(left), steps)
  }

  @Test func manyAreMissedWhenFewAre() throws {
    let few = try silence(of: 10)
    let many = try silence(of: 100)
    // Each session has its own moments, by chance; of ten times as many the range is a little wider.
    #expect(few.offline.lowerBound - .seconds(1) <= many.offline.lowerBound)
    #expect(many.offline.upperBound <= few.offline.upperBound + .seconds(1))
    #expect(few.left.lowerBound - .seconds(1) <= many.left.lowerBound)
    #expect(many.left.upperBound <= few.left.upperBound + .seconds(1))
    // A wake-up in vain now and then for what is some milliseconds early, and not for each of them.
    #expect(many.steps < 20 * few.steps)
  }
}
