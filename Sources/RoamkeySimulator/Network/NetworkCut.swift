/// Which way a cut stops datagrams, as seen from those who are cut off.
public enum CutDirection: Sendable {
  /// Neither what they send arrives, nor what others send them.
  case both
  /// What they send does not arrive; what others send them does.
  case outbound
  /// What others send them does not arrive; what they send does.
  case inbound
}

/// Hosts that are cut off from the others; among themselves they are not.
struct NetworkCut {
  let id: Int
  /// Indices of hosts; nil is a cut of everything from everything.
  let members: Set<Int>?
  let direction: CutDirection

  /// Whether it stops a datagram between two hosts; nil is somebody who is no host.
  func stops(from sender: Int, to receiver: Int?) -> Bool {
    guard let members else { return true }
    let isFromInside = members.contains(sender)
    let isToInside = receiver.map(members.contains) ?? false
    guard isFromInside != isToInside else { return false }
    switch direction {
    case .both: return true
    case .outbound: return isFromInside
    case .inbound: return isToInside
    }
  }
}
