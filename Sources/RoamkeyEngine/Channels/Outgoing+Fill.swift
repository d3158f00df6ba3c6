import RoamkeyWire

extension Outgoing {
  /// The packet that is being filled.
  struct Room {
    /// Where frames must end.
    let end: Int
    /// What an empty packet has room for: a message that fits into it is never cut up.
    let full: Int
    /// Whether messages may leave that were not sent yet.
    var allowsNew = true
    let now: Instant
  }

  /// Why a lane's turn ended.
  private enum Stop {
    /// Its next message needs more room.
    case noRoom
    /// It belongs into another ring now, or into none.
    case moved
    case blocked(Lane.Block)
    /// Somebody less urgent has waited long enough.
    case enough
  }

  /// Frames shorter than this hold nothing.
  private static let smallestFrame = 5
  /// Once a packet is under way, so many lanes may find it too full before nobody else is asked.
  private static let misfitLimit = 4

  // MARK: Whose turn it is

  /// Writes as many messages and pieces as fit. The first lane whose turn it is either gets what it needs or nobody
  /// gets anything: a message that needs a whole packet could wait for ever behind smaller ones.
  mutating func fill(_ output: inout OutputRawSpan, _ room: Room, frames: inout [SentFrame]) {
    beginTurn()
    fullRoom = room.full
    expire(now: room.now)
    let start = output.byteCount
    var position = Schedule.Position()
    var triedStarved = false
    var misfits = 0
    while room.end - output.byteCount >= Self.smallestFrame, misfits < Self.misfitLimit {
      let starved = triedStarved || !room.allowsNew ? nil : schedule.starved
      guard let place = starved ?? schedule.next(from: position) else { return }
      if !room.allowsNew, place.ring & 1 == 1 {
        guard place.ring + 1 < schedule.rings.count else { return }
        position = Schedule.Position(ring: place.ring + 1, place: 0)
        continue
      }
      if starved == nil { position = place }
      let lane = Int(schedule.rings[place.ring][place.place])
      guard lanes[lane].ring == place.ring else {
        moveOn(lane, from: place)
        continue
      }
      let before = output.byteCount
      let allowance = starved != nil ? 0 : triedStarved ? Int.max : schedule.allowance(ofRing: place.ring)
      let stop = serve(lane, ring: place.ring, allowance: allowance, &output, room, frames: &frames)
      let written = output.byteCount - before
      schedule.note(written, ofRing: place.ring)
      switch stop {
      case .moved: moveOn(lane, from: place)
      case .blocked(let reason):
        block(lane, reason)
        moveOn(lane, from: place)
      case .enough:
        if starved != nil { schedule.rotate(at: place) }
      case .noRoom:
        if output.byteCount == start { return }
        if starved != nil {
          triedStarved = true
        } else if written > 0, misfits == 0 {
          schedule.rotate(at: place)
        } else {
          // What little others have left is not a turn.
          position.place += 1
        }
        misfits += 1
      }
    }
  }

  /// Whether something could be written into an empty packet. It changes nothing, but would copy all of this otherwise,
  /// as `plan` would.
  mutating func checkForData() -> Bool {
    var position = Schedule.Position()
    while let next = schedule.next(from: position) {
      let lane = Int(schedule.rings[next.ring][next.place])
      position = Schedule.Position(ring: next.ring, place: next.place + 1)
      guard lanes[lane].ring == next.ring else { continue }
      for i in lanes[lane].lost.indices where missing(lanes[lane].lost[i], of: lanes[lane].stream) != nil {
        return true
      }
      if !lanes[lane].waiting.isEmpty, case .send = plan(lane, room: fullRoom, fullRoom: fullRoom) { return true }
    }
    return false
  }

  /// Lets one lane write until the packet is full, or something else is due.
  private mutating func serve(
    _ lane: Int, ring: Int, allowance: Int, _ output: inout OutputRawSpan, _ room: Room, frames: inout [SentFrame]
  ) -> Stop {
    let start = output.byteCount
    repeat {
      guard lanes[lane].ring == ring else { return .moved }
      let left = room.end - output.byteCount
      guard left >= Self.smallestFrame else { return .noRoom }
      if ring & 1 == 0 {
        guard sendLost(lane, room: left, fullRoom: room.full, &output, frames: &frames) else { return .noRoom }
      } else {
        switch plan(lane, room: left, fullRoom: room.full) {
        case .send(let range): sendNew(lane, range, &output, now: room.now, frames: &frames)
        case .noRoom: return .noRoom
        case .blocked(let reason): return .blocked(reason)
        }
      }
    } while output.byteCount - start < allowance
    return lanes[lane].ring == ring ? .enough : .moved
  }
}
