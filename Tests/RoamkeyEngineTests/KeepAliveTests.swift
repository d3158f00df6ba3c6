import Testing

@testable import RoamkeyEngine

/// PROTOCOL §11.1.
struct KeepAliveTests {
  private func configured(_ change: (inout RoamkeyConfiguration) -> Void) -> RoamkeyConfiguration {
    var configuration = RoamkeyConfiguration()
    change(&configuration)
    return configuration
  }

  // MARK: Playing

  @Test("Playing: a ping after 5 s in which nothing was heard and nothing was sent")
  func playing() {
    var watch = KeepAliveWatch()
    watch.run(until: 4999)
    #expect(watch.log == [])
    watch.run(until: 11_000)
    #expect(watch.log == [.ping(5000), .ping(10_000)])
    watch.run(until: 12_000)
    watch.hear()
    watch.run(until: 14_000)
    watch.packets.lastAckElicitingSent = watch.now
    watch.run(until: 18_999)
    #expect(watch.log.count == 2)
    watch.run(until: 19_000)
    #expect(watch.log.last == .ping(19_000))
  }

  @Test("Playing: offline after 20 s of hearing nothing, the end 300 s later")
  func offline() {
    var watch = KeepAliveWatch()
    watch.isPeerThere = false
    watch.run(until: 1_000_000)
    #expect(watch.log == [.ping(5000), .offline(20_000), .end(320_000)])
  }

  @Test("Sending does not put off being offline, nor the end")
  func talkingToNobody() {
    var watch = KeepAliveWatch()
    watch.isPeerThere = false
    while !watch.isEnded, watch.milliseconds < 1_000_000 {
      watch.message()
      watch.run(until: watch.milliseconds + 700)
    }
    #expect(watch.log == [.offline(20_000), .end(320_000)])
  }

  @Test("While an answer is awaited the probes do the pinging")
  func awaited() {
    var watch = KeepAliveWatch()
    watch.isPeerThere = false
    watch.run(until: 1000)
    watch.send()
    #expect(watch.keepAlive.nextTimeout(watch.packets) == at(20_000))
    watch.hear()
    #expect(watch.keepAlive.nextTimeout(watch.packets) == at(6000))
  }

  @Test("Online again, and everything begins anew")
  func back() {
    var watch = KeepAliveWatch()
    watch.isPeerThere = false
    watch.run(until: 19_999)
    #expect(!watch.keepAlive.isOffline && watch.keepAlive.activeUntil == at(60_000))
    watch.run(until: 319_999)
    #expect(watch.keepAlive.isOffline && watch.keepAlive.activeUntil < at(0))
    watch.packets.isAnswerAwaited = false
    let isBack = watch.keepAlive.onHeard(now: watch.now)
    let isBackAgain = watch.keepAlive.onHeard(now: watch.now)
    #expect(isBack && !isBackAgain && !watch.keepAlive.isOffline)
    watch.message()
    watch.packets.isAnswerAwaited = false
    watch.log = []
    watch.run(until: 1_000_000)
    #expect(watch.log == [.ping(324_999), .offline(339_999), .end(639_999)])
  }

  @Test("One miss is enough where the app says so")
  func oneMiss() {
    for misses in [1, 0, -7, .min] {
      var watch = KeepAliveWatch(configured { $0.missesUntilOffline = misses })
      watch.isPeerThere = false
      watch.run(until: 1_000_000)
      #expect(watch.log == [.offline(5000), .end(305_000)])
    }
  }

  /// A process that was stopped for long finds all deadlines past. What waits in its socket is to have its chance.
  @Test("Late timers: offline first, and the limit counts from there")
  func late() {
    var keepAlive = KeepAlive(RoamkeyConfiguration(), now: at(0))
    let packets = KeepAlive.Packets(lastAckElicitingSent: nil, isAnswerAwaited: false)
    #expect(keepAlive.takeDue(packets, now: at(900_000)) == .offline)
    #expect(keepAlive.nextTimeout(packets) == at(1_200_000))
    #expect(keepAlive.takeDue(packets, now: at(900_000)) == .nothing)
    #expect(keepAlive.takeDue(packets, now: at(1_200_000)) == .end)
  }

  // MARK: Quiet

  @Test("Quiet: after 60 s without messages a ping every 25 s")
  func quiet() {
    var watch = KeepAliveWatch()
    watch.run(until: 20_000)
    watch.message()
    #expect(watch.keepAlive.activeUntil == at(80_000))
    watch.log = []
    watch.run(until: 200_000)
    let seconds: [Int64] = [25, 30, 35, 40, 45, 50, 55, 60, 65, 70, 75, 100, 125, 150, 175, 200]
    #expect(watch.log == seconds.map { .ping($0 * 1000) })
  }

  @Test("The boundary is exact")
  func boundary() {
    let keepAlive = KeepAlive(RoamkeyConfiguration(), now: at(0))
    #expect(keepAlive.presence(now: at(59_999)) == .playing)
    #expect(keepAlive.presence(now: at(60_000)) == .quiet)
    #expect(keepAlive.activeUntil == at(60_000))
    // A silence whose first ping is due at 59.999 s is a player's, one whose first ping would be due at 60 s is not.
    for (heard, next, offline) in [(54_999, 59_999, 74_999), (55_000, 80_000, 95_000)] as [(Int64, Int64, Int64)] {
      var keepAlive = keepAlive
      _ = keepAlive.onHeard(now: at(heard))
      var packets = KeepAlive.Packets(lastAckElicitingSent: nil, isAnswerAwaited: false)
      #expect(keepAlive.nextTimeout(packets) == at(next))
      #expect(keepAlive.takeDue(packets, now: at(next - 1)) == .nothing)
      #expect(keepAlive.takeDue(packets, now: at(next)) == .ping)
      packets.isAnswerAwaited = true
      #expect(keepAlive.nextTimeout(packets) == at(offline))
      #expect(keepAlive.takeDue(packets, now: at(offline - 1)) == .nothing)
      #expect(keepAlive.takeDue(packets, now: at(offline)) == .offline)
    }
  }

  @Test("Quiet: offline 40 s after the last sign of life: 25 s to the ping, 15 s of probes")
  func quietOffline() {
    var watch = KeepAliveWatch()
    watch.run(until: 100_000)
    watch.isPeerThere = false
    let heard = watch.keepAlive.lastHeard.nanoseconds / 1_000_000
    watch.log = []
    watch.run(until: 1_000_000)
    #expect(watch.log == [.ping(heard + 25_000), .offline(heard + 40_000), .end(heard + 340_000)])
  }

  @Test("A message ends the quiet, and the silence before it is not held against the peer")
  func messageAfterQuiet() {
    var watch = KeepAliveWatch()
    watch.run(until: 100_000)
    watch.isPeerThere = false
    watch.run(until: watch.keepAlive.lastHeard.nanoseconds / 1_000_000 + 39_000)
    let sent = watch.milliseconds
    watch.log = []
    watch.message()
    #expect(watch.keepAlive.presence(now: watch.now) == .playing)
    watch.run(until: 2_000_000)
    #expect(watch.log == [.offline(sent + 20_000), .end(sent + 320_000)])
  }

  @Test(
    "That grace is given once: whoever says something now and then to nobody will be told", arguments: [0, 1, 10, 19])
  func graceOnce(quietAfter: Int) {
    var watch = KeepAliveWatch(configured { $0.quietAfter = .seconds(quietAfter) })
    watch.run(until: 50_000)
    watch.isPeerThere = false
    while !watch.isEnded, watch.milliseconds < 2_000_000 {
      watch.message()
      watch.run(until: watch.milliseconds + Int64(quietAfter) * 1000 + 500)
    }
    let offline = watch.log.compactMap { if case .offline(let time) = $0 { time } else { nil } }
    #expect(offline.count == 1 && offline[0] <= 95_000 && watch.isEnded, "\(watch.log)")
    // And it does not keep the session from ending.
    #expect(watch.log.last == .end(offline[0] + 300_000))
  }

  @Test("Received messages end the quiet as sent ones do")
  func received() {
    var watch = KeepAliveWatch()
    watch.run(until: 130_000)
    #expect(watch.keepAlive.presence(now: watch.now) == .quiet)
    watch.hear()
    watch.keepAlive.onAppTraffic(now: watch.now)
    #expect(watch.keepAlive.presence(now: watch.now) == .playing)
    #expect(watch.keepAlive.nextTimeout(watch.packets) == at(135_000))
  }

  // MARK: Resting

  @Test("Resting: nothing is sent and nobody is missed, for two hours of silence")
  func resting() {
    var watch = KeepAliveWatch()
    watch.run(until: 12_000)
    watch.keepAlive.rest(now: watch.now)
    watch.isPeerThere = false
    watch.log = []
    #expect(watch.keepAlive.presence(now: watch.now) == .resting)
    #expect(watch.keepAlive.activeUntil < at(0))
    watch.run(until: 7_211_999)
    #expect(watch.log == [] && !watch.keepAlive.isOffline)
    // Said again, it is not longer for it.
    watch.keepAlive.rest(now: watch.now)
    watch.run(until: 7_212_000)
    #expect(watch.log == [.end(7_212_000)])
  }

  @Test("Resting: whoever is heard is there for another two hours")
  func heardWhileResting() {
    var watch = KeepAliveWatch()
    watch.keepAlive.rest(now: watch.now)
    watch.run(until: 7_000_000)
    watch.hear()
    watch.run(until: 99_000_000)
    #expect(watch.log == [.end(14_200_000)])
  }

  @Test("Resting: who is offline is no longer missed, and ends by the longer limit")
  func restingWhileOffline() {
    var watch = KeepAliveWatch()
    watch.isPeerThere = false
    watch.run(until: 30_000)
    watch.keepAlive.rest(now: watch.now)
    #expect(watch.keepAlive.nextTimeout(watch.packets) == at(7_230_000))
    watch.run(until: 4_000_000)
    watch.keepAlive.wake(now: watch.now)
    #expect(watch.keepAlive.isOffline)
    watch.run(until: 9_000_000)
    #expect(watch.log == [.ping(5000), .offline(20_000), .end(4_300_000)])
  }

  @Test("Resting: its news is repeated for as long as a player's silence is borne, then nothing is")
  func probes() {
    var watch = KeepAliveWatch()
    #expect(watch.keepAlive.allowsProbe(at: .distantFuture))
    watch.run(until: 3000)
    watch.keepAlive.rest(now: watch.now)
    #expect(watch.keepAlive.allowsProbe(at: at(22_999)) && !watch.keepAlive.allowsProbe(at: at(23_000)))
    watch.run(until: 10_000)
    watch.hear()
    #expect(watch.keepAlive.allowsProbe(at: at(29_999)) && !watch.keepAlive.allowsProbe(at: at(30_000)))
    watch.keepAlive.wake(now: watch.now)
    #expect(watch.keepAlive.allowsProbe(at: .distantFuture))
  }

  @Test("Hours of rest are no silence: 20 s from waking", arguments: ["message", "word"], [true, false])
  func waking(by: String, isPeerThere: Bool) {
    var watch = KeepAliveWatch()
    watch.run(until: 3000)
    watch.keepAlive.rest(now: watch.now)
    watch.run(until: 7_100_000)
    watch.isPeerThere = isPeerThere
    watch.log = []
    if by == "word" {
      watch.keepAlive.wake(now: watch.now)
      // Waking is told in a frame that wants an answer.
      watch.send()
    } else {
      watch.message()
    }
    #expect(watch.keepAlive.presence(now: watch.now) == .playing)
    #expect(watch.keepAlive.activeUntil == at(7_160_000))
    watch.run(until: 7_150_000)
    if isPeerThere {
      #expect(watch.log == stride(from: 7_105_000, through: 7_150_000, by: 5000).map { .ping($0) })
    } else {
      #expect(watch.log == [.offline(7_120_000)])
    }
  }

  @Test("Waking somebody who does not rest means nothing")
  func wakingTheWoken() {
    var watch = KeepAliveWatch()
    watch.isPeerThere = false
    for time in stride(from: 1000, through: 19_000, by: 1000) as StrideThrough<Int64> {
      watch.run(until: time)
      watch.keepAlive.wake(now: watch.now)
    }
    watch.run(until: 21_000)
    #expect(watch.log == [.ping(5000), .offline(20_000)])
  }

  // MARK: Any configuration

  @Test("Extreme times: no trap and no timer without a pause", arguments: extremeTimes)
  func extremes(_ value: Duration) {
    for misses in [Int.min, 0, 1, 4, .max] {
      for which in 0..<32 {
        let configuration = configured {
          if which & 1 != 0 { $0.keepAliveInterval = value }
          if which & 2 != 0 { $0.quietInterval = value }
          if which & 4 != 0 { $0.quietAfter = value }
          if which & 8 != 0 { $0.offlineLimit = value }
          if which & 16 != 0 { $0.restingLimit = value }
          $0.missesUntilOffline = misses
        }
        var watch = KeepAliveWatch(configuration)
        watch.run(until: 2000)
        watch.message()
        watch.run(until: 70_000)
        watch.keepAlive.rest(now: watch.now)
        if value > .zero { watch.run(until: 80_000) }
        watch.keepAlive.wake(now: watch.now)
        watch.isPeerThere = false
        watch.run(until: 90_000)
        #expect(watch.log.count <= 900, "\(value), \(which), \(misses): \(watch.log.count) timers")
      }
    }
  }

  private static let extremeTimes: [Duration] = [
    .zero, .seconds(-1), .seconds(Int64.min), .nanoseconds(1), Duration(secondsComponent: 0, attosecondsComponent: 1),
    .seconds(Int64.max), Duration(secondsComponent: .max, attosecondsComponent: 999_999_999_999_999_999),
  ]

  @Test("No limits: hours and years offline, and a rest without end")
  func noLimits() {
    var watch = KeepAliveWatch(
      configured {
        $0.offlineLimit = .seconds(Int64.max)
        $0.restingLimit = .seconds(Int64.max)
      })
    watch.isPeerThere = false
    watch.run(until: 1 << 40)
    #expect(watch.log == [.ping(5000), .offline(20_000)])
    #expect(watch.keepAlive.nextTimeout(watch.packets) == .distantFuture)
    watch.keepAlive.rest(now: watch.now)
    #expect(watch.keepAlive.nextTimeout(watch.packets) == .distantFuture)
  }

  @Test("No time offline: the end comes in the place of it")
  func noOfflineLimit() {
    var watch = KeepAliveWatch(configured { $0.offlineLimit = .zero })
    watch.isPeerThere = false
    watch.run(until: 1_000_000)
    #expect(watch.log == [.ping(5000), .end(20_000)])
  }

  @Test("A quiet session never pings more often than one that plays")
  func quietIntervalBelow() {
    var watch = KeepAliveWatch(configured { $0.quietInterval = .seconds(1) })
    watch.run(until: 200_000)
    #expect(watch.log == (1...40).map { .ping($0 * 5000) })
    watch.isPeerThere = false
    watch.log = []
    watch.run(until: 225_000)
    #expect(watch.log == [.ping(205_000), .offline(220_000)])
  }

  @Test("Intervals of nothing count as a tenth of a second")
  func shortestInterval() {
    var watch = KeepAliveWatch(configured { $0.keepAliveInterval = .zero })
    watch.run(until: 1000)
    #expect(watch.log == (1...10).map { .ping($0 * 100) })
  }
}
