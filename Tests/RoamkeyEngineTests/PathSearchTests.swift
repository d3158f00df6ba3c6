import RoamkeyWire
import Testing

@testable import RoamkeyEngine

/// PROTOCOL §5.6, §5.7: where a client looks for its server, and when.
struct PathSearchTests {
  private static let start = Instant(nanoseconds: 1_000_000_000)
  private static let probeTimeout = Duration.milliseconds(100)
  private static let server = NetworkAddress(ipv4: 198, 51, 100, 1, port: 7447)
  private static let other = NetworkAddress(ipv4: 198, 51, 100, 2, port: 7447)
  private static let path = NetworkPath(local: .any(port: 0), remote: server)
  private static let door = NetworkAddress(ipv4: 10, 0, 0, 2, port: 5001)

  /// A search whose challenges are numbered from 1 on.
  private struct Searching {
    var search = PathSearch()
    var path = PathSearchTests.path
    private var random: UInt64 = 0

    mutating func tick(_ silence: Instant?, now: Instant) -> PathSearch.Tick {
      var random = random
      defer { self.random = random }
      return search.tick(silence: silence, probeTimeout: probeTimeout, current: path, now: now) {
        random += 1
        return random
      }
    }

    mutating func follow(_ remote: NetworkAddress, now: Instant = start) {
      var random = random
      defer { self.random = random }
      let path = NetworkPath(local: self.path.local, remote: remote)
      search.follow(to: path, from: self.path.remote, probeTimeout: probeTimeout, now: now) {
        random += 1
        return random
      }
    }

    mutating func asked(now: Instant = start) -> [PathManager.Challenge] {
      var found: [PathManager.Challenge] = []
      while let challenge = search.takeChallenge(now: now, interval: probeTimeout) { found.append(challenge) }
      return found
    }

    func next(_ silence: Instant?) -> Instant? {
      search.nextTick(silence: silence, probeTimeout: probeTimeout, current: path)
    }
  }

  @Test func withoutSilenceNothingIsAsked() {
    let searching = Searching()
    #expect(searching.next(nil) == nil)
  }

  @Test func addressesAreAskedAfterThreeProbeTimeouts() {
    var searching = Searching()
    searching.search.learn([Self.other])
    #expect(searching.next(Self.start) == Self.start + .milliseconds(300))
    let tick = searching.tick(Self.start, now: Self.start + .milliseconds(300))
    #expect(tick.wakesActive && tick.wantsLookup)
    let asked = searching.asked(now: Self.start + .milliseconds(300))
    #expect(asked.map(\.path.remote) == [Self.other])
    let answers = [asked[0].data, asked[0].data, 99].map { searching.search.onResponse($0)?.path.remote }
    #expect(answers == [Self.other, nil, nil], "an answer counts once")
  }

  @Test func doorsAreAskedAfterOne() {
    var searching = Searching()
    searching.search.doors = [Self.door]
    searching.search.learn([Self.other])
    #expect(searching.next(Self.start) == Self.start + .milliseconds(100))
    let tick = searching.tick(Self.start, now: Self.start + .milliseconds(100))
    #expect(tick == .init())
    #expect(
      searching.asked(now: Self.start + .milliseconds(100)).map(\.path) == [
        NetworkPath(local: Self.door, remote: Self.server)
      ])
    #expect(searching.next(Self.start) == Self.start + .milliseconds(300))
  }

  @Test func throughADoorTheUsualWayIsAskedToo() {
    var searching = Searching()
    searching.search.doors = [Self.door]
    searching.path.local = Self.door
    _ = searching.tick(Self.start, now: Self.start + .milliseconds(100))
    #expect(searching.asked(now: Self.start + .seconds(1)).map(\.path.local) == [.any(port: 0)])
  }

  @Test("the pace: 250 ms, 500 ms, 800 ms, 5 s; names after 1, 2, 4 ... 30 s")
  func pace() throws {
    var searching = Searching()
    var ticks: [Duration] = []
    var lookups: [Duration] = []
    while let next = searching.next(Self.start), next - Self.start < .seconds(700) {
      ticks.append(next - Self.start)
      if searching.tick(Self.start, now: next).wantsLookup { lookups.append(next - Self.start) }
    }
    func count(_ range: Range<Int>) -> Int {
      ticks.count { $0 >= .seconds(range.lowerBound) && $0 < .seconds(range.upperBound) }
    }
    #expect((10...12).contains(count(0..<3)) && (112...116).contains(count(3..<60)))
    #expect((298...302).contains(count(60..<300)) && (78...82).contains(count(300..<700)))
    #expect(lookups.count < 35 && lookups.count > 20)
    #expect(lookups[0] == .milliseconds(300) && lookups[1] < .milliseconds(1600))
  }

  @Test func aNewNameIsAskedAtOnce() {
    var searching = Searching()
    let now = Self.start + .milliseconds(300)
    _ = searching.tick(Self.start, now: now)
    searching.search.learn([Self.other])
    #expect(searching.next(Self.start) == now)
    _ = searching.tick(Self.start, now: now)
    #expect(searching.asked(now: now).map(\.path.remote) == [Self.other])
    #expect(searching.next(Self.start) == now + .milliseconds(250))
  }

  @Test func whereThereIsNoWayItBeginsAtOnce() throws {
    var searching = Searching()
    searching.search.learn([Self.other])
    searching.search.setRoute(isLost: true, now: Self.start)
    let next = try #require(searching.next(nil))
    #expect(next - Self.start <= .milliseconds(20))
    #expect(searching.tick(nil, now: next).wakesActive)
    #expect(searching.asked(now: next).count == 1)
    searching.search.setRoute(isLost: false, now: next)
    #expect(searching.next(nil) == nil)
  }

  @Test func anAnswerEndsIt() {
    var searching = Searching()
    searching.search.learn([Self.other])
    _ = searching.tick(Self.start, now: Self.start + .milliseconds(300))
    searching.search.end()
    #expect(searching.asked(now: Self.start + .seconds(1)).isEmpty)
    #expect(searching.next(Self.start + .seconds(1)) == Self.start + .milliseconds(1300))
  }

  @Test("§5.6: never where a packet would bother somebody else")
  func acceptable() throws {
    func address(_ text: String) throws -> NetworkAddress { try NetworkAddress(text, defaultPort: 7447) }
    let global = Self.server
    let home = try address("192.168.1.5")
    for text in [
      "127.0.0.1", "::1", "224.0.0.1", "ff02::1%2", "255.255.255.255", "0.0.0.0", "::", "10.1.2.3", "172.16.0.1",
      "169.254.1.1", "fd00::1", "fe80::1%2", "203.0.113.1:0",
    ] {
      #expect(try !PathSearch.isAcceptable(address(text), from: global), "\(text)")
    }
    for text in ["203.0.113.1", "2001:db8::1"] { #expect(try PathSearch.isAcceptable(address(text), from: global)) }
    for text in ["10.1.2.3", "203.0.113.1", "fd00::1"] {
      #expect(try PathSearch.isAcceptable(address(text), from: home))
    }
    for text in ["127.0.0.1", "169.254.1.1", "fe80::1%2"] {
      #expect(try !PathSearch.isAcceptable(address(text), from: home), "\(text)")
    }
    #expect(try PathSearch.isAcceptable(address("127.0.0.2"), from: address("127.0.0.1")))
  }

  @Test func whatTheServerTellsIsAskedWithinLimits() throws {
    var searching = Searching()
    let secret = try NetworkAddress("192.168.0.1:7447")
    searching.search.learn(told: [secret, Self.other], sequence: 3)
    searching.search.learn(told: [secret], sequence: 2)
    _ = searching.tick(Self.start, now: Self.start + .seconds(1))
    #expect(searching.asked(now: Self.start + .seconds(1)).map(\.path.remote) == [Self.other])
    // What the player gave is trusted.
    searching.search.learn([secret])
    _ = searching.tick(Self.start, now: Self.start + .seconds(2))
    #expect(Set(searching.asked(now: Self.start + .seconds(2)).map(\.path.remote)) == [secret, Self.other])
  }

  @Test("a server that tells the addresses of others does not aim its clients at them")
  func toldAddressesAreAskedSeldom() {
    var searching = Searching()
    let victims = (0..<8).map { NetworkAddress(ipv4: 203, 0, 113, UInt8($0 + 1), port: 53) }
    searching.search.learn(told: victims, sequence: 1)
    var asked = 0
    var now = Self.start
    // It answers now and then, so that each silence is a new one, and tells others each time.
    for round in 0..<100 {
      for _ in 0..<12 {
        _ = searching.tick(now, now: now + .milliseconds(300))
        asked += searching.asked(now: now + .milliseconds(300)).count
        now = now + .milliseconds(250)
      }
      searching.search.end()
      searching.search.learn(
        told: victims.map { NetworkAddress(ip: $0.ip, port: UInt16(round)) }, sequence: UInt64(round + 2))
    }
    #expect(asked <= 96 + 310 && asked > 96)
  }

  @Test("§5.6: one at a time, three in ten seconds, by a challenge alone")
  func following() {
    var searching = Searching()
    var now = Self.start
    for host in 2..<10 as Range<UInt8> {
      searching.follow(NetworkAddress(ipv4: 198, 51, 100, host, port: 7447), now: now)
      now = now + .milliseconds(1)
    }
    #expect(searching.asked(now: now).map(\.path.remote) == [Self.other], "one at a time")
    for host in 20..<30 as Range<UInt8> {
      // The one before fails.
      now = now + .seconds(3)
      searching.search.handleTimeout(now: now)
      searching.follow(NetworkAddress(ipv4: 198, 51, 100, host, port: 7447), now: now)
    }
    #expect(now - Self.start > .seconds(30))
    var victim = Searching()
    victim.follow(NetworkAddress(ipv4: 127, 0, 0, 1, port: 7447))
    victim.follow(NetworkAddress(ipv4: 224, 0, 0, 1, port: 7447))
    #expect(victim.asked().isEmpty)
  }

  @Test func threeInTenSeconds() {
    var searching = Searching()
    var asked = 0
    for step in 0..<20 {
      let now = Self.start + .milliseconds(400 * step)
      searching.follow(NetworkAddress(ipv4: 198, 51, 100, UInt8(100 + step), port: 7447), now: now)
      for challenge in searching.asked(now: now) {
        asked += 1
        _ = searching.search.onResponse(challenge.data)
      }
    }
    #expect(asked == 3)
  }
}
