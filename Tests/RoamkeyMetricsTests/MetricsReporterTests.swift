import CoreMetrics
import MetricsTestKit
import TestSupport
import Testing

@testable import Roamkey
@testable import RoamkeyEngine
@testable import RoamkeyMetrics

private let loopback = NetworkAddress(ipv4: 127, 0, 0, 1, port: 0)

/// What a backend hears of a server and a client.
@Suite(.realTime, .timeLimit(.minutes(40))) struct MetricsReporterTests {
  private func value(_ metrics: TestMetrics, _ label: String, _ dimensions: [(String, String)]) throws -> Double {
    try #require(try metrics.expectMeter("roamkey_\(label)", dimensions).values.last)
  }

  private func total(_ metrics: TestMetrics, _ label: String, _ dimensions: [(String, String)]) throws -> Int64 {
    try metrics.expectCounter("roamkey_\(label)_total", dimensions).values.reduce(0, +)
  }

  private func makePair() async throws -> (Server, Client) {
    let server = try await Server(key: .generate(), application: "test/1", listen: loopback)
    let client = try await Client(
      key: .generate(), application: "test/1", server: "\(server.address)", pinned: server.id)
    return (server, client)
  }

  @Test func aServerAndItsClientAreToldApartToTheirEnd() async throws {
    let (server, client) = try await makePair()
    let metrics = TestMetrics()
    let reporters = Task {
      async let first: Void = MetricsReporter(
        server: server, interval: .milliseconds(10), dimensions: [("room", "hall")], factory: metrics
      ).run()
      async let second: Void = MetricsReporter(client: client, interval: .milliseconds(10), factory: metrics).run()
      _ = await (first, second)
    }
    let (ofServer, ofClient) = ([("role", "server"), ("room", "hall")], [("role", "client")])
    for _ in 0..<3 { try client.send("hello") }
    var isHeard = false
    for _ in 0..<5000 where !isHeard {
      try await Task.sleep(for: .milliseconds(2))
      isHeard =
        (try? total(metrics, "received_messages", ofServer)) == 3
        && (try? value(metrics, "round_trip_seconds", ofClient + [("statistic", "max")])).map { $0 > 0 } == true
    }
    #expect(isHeard)
    #expect(try value(metrics, "players", ofServer) == 1)
    #expect(try value(metrics, "players", ofClient) == 1)
    #expect(try value(metrics, "loss_ratio", ofServer + [("statistic", "median")]) == 0)
    #expect(try total(metrics, "sessions", ofServer) == 1)
    await client.close()
    await server.close()
    // Both have ended, so the reporters end by themselves, and what they told last is all of it.
    await reporters.value
    let (atServer, atClient) = (await server.statistics(), await client.statistics())
    #expect(try total(metrics, "sent_messages", ofClient) == 3)
    #expect(try total(metrics, "received_bytes", ofServer) == Int64(atServer.bytesReceived))
    #expect(try total(metrics, "sent_packets", ofServer) == Int64(atServer.datagramsSent))
    #expect(atClient.bytesSent > 0)
    #expect(try value(metrics, "players", ofServer) == 0)
    #expect(try value(metrics, "queued_bytes", ofClient) == 0)
  }

  @Test func cancellingEndsIt() async throws {
    let server = try await Server(key: .generate(), application: "test/1", listen: loopback)
    let metrics = TestMetrics()
    let reporter = Task { await MetricsReporter(server: server, interval: .seconds(3600), factory: metrics).run() }
    for _ in 0..<5000 where (try? value(metrics, "players", [("role", "server")])) == nil {
      try await Task.sleep(for: .milliseconds(1))
    }
    reporter.cancel()
    await reporter.value
    #expect(try value(metrics, "players", [("role", "server")]) == 0)
    await server.close()
  }

  @Test func whatIsLetGoIsNotKeptAlive() async throws {
    let metrics = TestMetrics()
    var pair: (Server, Client)? = try await makePair()
    weak let server = pair?.0
    weak let client = pair?.1
    let reporters = try #require(
      pair.map { pair in
        [
          MetricsReporter(server: pair.0, interval: .seconds(3600), factory: metrics),
          MetricsReporter(client: pair.1, interval: .seconds(3600), factory: metrics),
        ]
      })
    let tasks = reporters.map { reporter in Task { await reporter.run() } }
    for role in ["server", "client"] {
      for _ in 0..<5000 where (try? value(metrics, "players", [("role", role)])) == nil {
        try await Task.sleep(for: .milliseconds(1))
      }
    }
    pair = nil
    for task in tasks { await task.value }
    #expect(server == nil && client == nil)
  }
}

/// How figures become metrics.
struct MetersTests {
  private func session(_ number: UInt64, _ change: (inout SessionStatistics) -> Void) -> Watch.Session {
    var statistics = SessionStatistics()
    change(&statistics)
    return Watch.Session(
      handle: SessionHandle(rawValue: number), player: PlayerKey.generate().id, statistics: statistics)
  }

  private func sample(_ sessions: [Watch.Session], _ change: (inout Statistics) -> Void = { _ in }) -> Watch.Sample {
    var statistics = Statistics(.init(), sockets: .init(), unreadDropped: 0, players: sessions.count)
    change(&statistics)
    return Watch.Sample(statistics: statistics, sessions: sessions)
  }

  @Test func sumsOfSessionsNeverFall() throws {
    let metrics = TestMetrics()
    var meters = Meters(metrics, [])
    meters.record(
      sample([
        session(1) { $0.bytesRetransmitted = 100 },
        session(2) {
          $0.bytesRetransmitted = 7
          $0.messagesExpired = 2
        },
      ]))
    // The first one has left, a third one has come.
    meters.record(
      sample([session(2) { $0.bytesRetransmitted = 10 }, session(3) { $0.bytesRetransmitted = 1 }]))
    let counter = try metrics.expectCounter("roamkey_retransmitted_bytes_total")
    #expect(counter.values == [107, 4])
    let expired = try metrics.expectCounter("roamkey_undelivered_messages_total", [("reason", "expired")])
    #expect(expired.values.reduce(0, +) == 2)
  }

  @Test func gaugesAreOfAllSessions() throws {
    let metrics = TestMetrics()
    var meters = Meters(metrics, [])
    meters.record(
      sample(
        [10, 30, 20].map { milliseconds in
          session(UInt64(milliseconds)) {
            $0.roundTrip = .milliseconds(milliseconds)
            $0.loss = Double(milliseconds) / 100
            $0.queuedBytes = milliseconds
            $0.queuedMessages = 1
            $0.isOffline = milliseconds == 30
          }
        }))
    func value(_ label: String, _ statistic: String? = nil) throws -> Double? {
      try metrics.expectMeter("roamkey_\(label)", statistic.map { [("statistic", $0)] } ?? []).values.last
    }
    #expect(try value("round_trip_seconds", "median") == 0.02)
    #expect(try value("round_trip_seconds", "max") == 0.03)
    #expect(try value("loss_ratio", "median") == 0.2)
    #expect(try value("queued_bytes") == 60)
    #expect(try value("queued_messages") == 3)
    #expect(try value("offline_players") == 1)
    meters.record(sample([]))
    #expect(try value("round_trip_seconds", "max") == 0)
  }

  @Test func reasonsAreDimensions() throws {
    let metrics = TestMetrics()
    var meters = Meters(metrics, [("role", "server")])
    for number in [UInt64(1), 5] {
      meters.record(
        sample([]) {
          $0.drops = ["replayed": number]
          $0.sendErrorsByKind = ["unreachable": number * 2]
          $0.unreadDropped = number * 3
          $0.receiptsDropped = number * 4
          $0.signaturesVerifiedElsewhere = number * 5
        })
    }
    func steps(_ label: String, _ dimension: (String, String)) throws -> [Int64] {
      try metrics.expectCounter("roamkey_\(label)_total", [("role", "server"), dimension]).values
    }
    #expect(try steps("dropped_packets", ("reason", "replayed")) == [1, 4])
    #expect(try steps("send_errors", ("kind", "unreachable")) == [2, 8])
    #expect(try steps("undelivered_messages", ("reason", "unread")) == [3, 12])
    let receipts = try metrics.expectCounter("roamkey_dropped_receipts_total", [("role", "server")])
    #expect(receipts.values == [4, 16])
    let helped = try metrics.expectCounter("roamkey_signatures_verified_elsewhere_total", [("role", "server")])
    #expect(helped.values == [5, 20])
  }
}
