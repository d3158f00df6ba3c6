internal import Roamkey

/// What a bench server does at one of its doors: it echoes, counts and reports, and nothing else.
///
/// Strangers may come. So an echo goes to its sender only and is as long as what came, reports are counted, whoever
/// asks for anything else is put out, and who stays without measuring as well.
struct BenchService: Sendable {
  let server: Server
  let doors: BenchDoors
  /// How many clients are in, at all doors.
  let population: Locked<UInt64>
  let voice: BenchVoice

  /// A story asks twice, and for the doors once: who asks more often has something else in mind.
  private static let maximumQuestions = 16
  /// Longer echoes are nobody's round trip.
  private static let maximumEcho = 1024

  /// What is known of a client.
  private struct Guest {
    var report = BenchReport()
    let joined: ContinuousClock.Instant
    var questions = 0
    /// Others only ask for the way, or look how long that takes.
    var hasBegun = false
    var echoes: UInt64 = 0

    mutating func count(_ body: [UInt8], at now: ContinuousClock.Instant) {
      report.messages += 1
      report.bytes += UInt64(body.count)
      report.highest = max(report.highest, BenchStamp.number(of: body))
      report.lastArrival = since(now)
    }

    /// In microseconds.
    func since(_ now: ContinuousClock.Instant) -> UInt64 { UInt64(max(0, (now - joined) / .microseconds(1))) }
  }

  /// Until the server is closed.
  func run() async {
    var guests: [PlayerID: Guest] = [:]
    while true {
      var first: Server.Event?
      for await event in server.events {
        first = event
        break
      }
      guard let first else { return }
      // One look at the clock for all that has come together.
      let now = ContinuousClock.now
      if let asker = handle(first, &guests, now) { await report(to: asker, &guests) }
      for event in server.takeEvents() {
        if let asker = handle(event, &guests, now) { await report(to: asker, &guests) }
      }
    }
  }

  /// - Returns: who has asked for a report.
  private func handle(_ event: Server.Event, _ guests: inout [PlayerID: Guest], _ now: ContinuousClock.Instant)
    -> PlayerID?
  {
    switch event {
    case .joined(let player):
      guests[player] = Guest(joined: now)
      population.withLock { $0 += 1 }
      voice.joined(player, server.address(of: player))
    case .message(let message, let player): return receive(message, from: player, &guests, now)
    case .left(let player, let reason):
      guard let guest = guests.removeValue(forKey: player) else { return nil }
      population.withLock { $0 -= 1 }
      voice.left(player, reason, counted: guest.report.messages, echoed: guest.echoes, hasBegun: guest.hasBegun)
    case .roamed, .offline, .online: break
    }
    return nil
  }

  private func receive(
    _ message: Message, from player: PlayerID, _ guests: inout [PlayerID: Guest], _ now: ContinuousClock.Instant
  ) -> PlayerID? {
    switch BenchAction(rawValue: message.action) {
    case .count: guests[player]?.count(message.body, at: now)
    case .echo:
      guard message.body.count <= Self.maximumEcho else {
        server.kick(player, reason: "an echo has at most \(Self.maximumEcho) bytes")
        return nil
      }
      guests[player]?.echoes += 1
      let failure = server.send(
        message.body, as: BenchAction.echo.rawValue, to: player, delivery: message.delivery, channel: message.channel)
      // More than a mebibyte of echoes that it does not take.
      if case .queueFull = failure { server.dropSlow(player) }
    case .begin:
      guard let story = message.text.flatMap({ BenchStory(rawValue: $0) }) else {
        server.kick(player, reason: "this bench server does not know that story: update both sides")
        return nil
      }
      guard mayAsk(player, &guests) else { return nil }
      guests[player]?.hasBegun = true
      voice.began(story, player, doors.here)
    case .doors:
      guard mayAsk(player, &guests) else { return nil }
      server.send(Message(doors.text, as: BenchAction.doors.rawValue), to: player, options: BenchAction.urgent)
    case .report: return mayAsk(player, &guests) ? player : nil
    case nil: server.kick(player, reason: "this bench server does not know what was asked: update both sides")
    }
    return nil
  }

  /// An answer is longer than its question, so there are not many.
  private func mayAsk(_ player: PlayerID, _ guests: inout [PlayerID: Guest]) -> Bool {
    guard let asked = guests[player]?.questions else { return false }
    guests[player]?.questions = asked + 1
    guard asked < Self.maximumQuestions else {
      server.kick(player, reason: "too many questions")
      return false
    }
    return true
  }

  private func report(to player: PlayerID, _ guests: inout [PlayerID: Guest]) async {
    guard let guest = guests[player] else { return }
    var report = guest.report
    report.unread = await server.statistics().unreadDropped
    report.players = population.withLock { $0 }
    report.processor = BenchProcessor.microseconds
    report.time = guest.since(.now)
    server.send(Message(report.text, as: BenchAction.report.rawValue), to: player, options: BenchAction.urgent)
  }

  // MARK: Who stays too long

  /// Puts out who says nothing any more, or stays longer than any story takes; until the task is cancelled.
  func watchGuests() async {
    var watch = BenchWatch()
    while (try? await Task.sleep(for: BenchWatch.interval)) != nil { await watch.look(at: server) }
  }
}

/// Looks from time to time who is at a bench server without measuring, or for too long.
struct BenchWatch {
  /// How often somebody looks.
  static let interval: Duration = .seconds(30)
  /// After so many looks a client has had its time: the longest story and its end take less.
  static let maximumStay = 6

  /// Who was there at the last look, with what they had sent by then, and for how many looks.
  private var seen: [PlayerID: (messages: UInt64, looks: Int)] = [:]

  mutating func look(at server: Server) async {
    let before = seen
    seen = [:]
    for player in server.players {
      guard let messages = await server.statistics(of: player)?.messagesReceived else { continue }
      guard let last = before[player] else {
        seen[player] = (messages, 1)
        continue
      }
      if last.messages == messages {
        server.kick(player, reason: "nothing was measured for a while")
      } else if last.looks >= Self.maximumStay {
        server.kick(player, reason: "a story does not take as long as this")
      } else {
        seen[player] = (messages, last.looks + 1)
      }
    }
  }
}

/// The number in the first bytes of a message that is counted or echoed.
enum BenchStamp {
  static let size = 8

  static func write(_ number: UInt64, into body: inout [UInt8]) {
    guard body.count >= size else { return }
    body.withUnsafeMutableBytes { $0.storeBytes(of: number.littleEndian, as: UInt64.self) }
  }

  /// 0 in a message that is too short for one.
  static func number(of body: [UInt8]) -> UInt64 {
    guard body.count >= size else { return 0 }
    return body.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) }
  }
}
