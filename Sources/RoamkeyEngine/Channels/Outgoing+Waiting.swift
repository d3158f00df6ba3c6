extension Channels {
  /// Bytes of messages that may leave now, what is lost and what is new, as far as `limit`: no more than will be sent.
  func waitingBytes(atMost limit: Int, includesNew: Bool) -> Int {
    outgoing.waitingBytes(atMost: limit, includesNew: includesNew)
  }
}

extension Outgoing {
  func waitingBytes(atMost limit: Int, includesNew: Bool) -> Int {
    var bytes = 0
    var credit = credit.available
    for i in lanes.indices where lanes[i].rings != 0 {
      for place in lanes[i].lost.indices {
        guard bytes < limit else { return limit }
        bytes += lanes[i].lost[place].range.count
      }
      guard includesNew, lanes[i].block == .none else { continue }
      let stream = lanes[i].stream
      let isReliable = streams[stream].id.delivery.isReliable
      var allowed = isReliable ? min(credit, streams[stream].credit.available) : .max
      for place in lanes[i].waiting.indices where !lanes[i].waiting[place].isDead {
        guard bytes < limit, allowed > 0 else { break }
        let size = min(lanes[i].waiting[place].total - lanes[i].waiting[place].sent, allowed)
        bytes += size
        guard isReliable else { continue }
        allowed -= size
        credit -= size
      }
    }
    return min(bytes, limit)
  }
}
