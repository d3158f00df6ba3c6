import RoamkeyCrypto
import RoamkeyEngine
import RoamkeyWire

extension FuzzTargets {
  /// Questions and beacons of the local network, as bytes.
  static let beacons = FuzzTarget(
    "beacons", longestInput: 512, milestones: ["seek", "application", "beacon", "name", "farewell", "more"]
  ) { input, reached in
    var bytes = input.rest()
    // A question has one size only.
    if bytes.first == DiscoveryKind.seek.rawValue {
      bytes += [UInt8](repeating: 0, count: max(0, SeekDatagram.size - bytes.count))
    }
    let datagram = bytes.span.bytes
    if let seek = try? SeekDatagram(datagram) {
      reached.reach(0)
      if seek.application != nil { reached.reach(1) }
      let once = seek.encoded()
      precondition(once.count == SeekDatagram.size, "a question has its size")
      precondition((try? SeekDatagram(once.span.bytes)) == seek, "a question is written as another")
    }
    guard let beacon = try? BeaconDatagram(datagram) else { return }
    reached.reach(2)
    if beacon.name != nil { reached.reach(3) }
    if beacon.isFarewell { reached.reach(4) }
    precondition(
      DisplayText.isClean(beacon.application) && DisplayText.isClean(beacon.name ?? ""), "a text that deceives")
    precondition(beacon.address.port != 0 && !beacon.application.isEmpty, "a beacon of nothing")
    let once = beacon.encoded()
    let signed = BeaconDatagram.signed(datagram)
    precondition(once.count <= signed.count, "a beacon grows")
    if once.count < signed.count { reached.reach(5) }
    let whole = once + datagram.array(signed.upperBound..<datagram.byteCount)
    precondition((try? BeaconDatagram(whole.span.bytes)) == beacon, "a beacon is written as another")
  }
}
