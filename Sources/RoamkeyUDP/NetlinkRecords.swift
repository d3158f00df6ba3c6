internal import Glibc
internal import RoamkeyEngine
internal import RoamkeySockets
internal import RoamkeyWire

/// An interface, as RTM_NEWLINK tells.
struct Link: Equatable {
  var interface: UInt32
  /// It is switched on, and something answers at the other end of its cable.
  var isRunning: Bool
  var isLoopback: Bool
  /// It has one other end and no neighbours, as tunnels have.
  var isPointToPoint: Bool

  /// Nil for a message that is too short for one.
  init?(_ bytes: RawSpan, _ payload: Range<Int>) {
    guard let info = bytes.header(of: payload, as: ifinfomsg.self), info.ifi_index > 0 else { return nil }
    interface = UInt32(info.ifi_index)
    let running = ROAMKEY_IFF_UP | ROAMKEY_IFF_RUNNING
    isRunning = info.ifi_flags & running == running
    isLoopback = info.ifi_flags & ROAMKEY_IFF_LOOPBACK != 0
    isPointToPoint = info.ifi_flags & ROAMKEY_IFF_POINTOPOINT != 0
  }
}

/// An address of this machine, as RTM_NEWADDR tells.
struct InterfaceAddress: Equatable {
  var interface: UInt32
  /// Port 0.
  var address: NetworkAddress
  /// How many bits of it are the link's.
  var prefixLength: Int

  /// Nil for a message that is too short for one, for families that are not IP, and for addresses that are not to be
  /// used: not proven to be unique yet, proven not to be, or on their way out (RFC 4862 §5.4, §5.5.4).
  init?(_ bytes: RawSpan, _ payload: Range<Int>) {
    guard let info = bytes.header(of: payload, as: ifaddrmsg.self) else { return nil }
    interface = info.ifa_index
    prefixLength = Int(info.ifa_prefixlen)
    var flags = UInt32(info.ifa_flags)
    var local: NetworkAddress?
    var other: NetworkAddress?
    var rest = bytes.attributes(of: payload, behind: ifaddrmsg.self)
    while let attribute = NetlinkAttribute.next(in: bytes, from: &rest) {
      switch attribute.type {
      case ROAMKEY_IFA_LOCAL:
        local = bytes.address(attribute.value, family: info.ifa_family, interface: info.ifa_index)
      case ROAMKEY_IFA_ADDRESS:
        other = bytes.address(attribute.value, family: info.ifa_family, interface: info.ifa_index)
      case ROAMKEY_IFA_FLAGS: flags = bytes.number(attribute.value) ?? flags
      default: break
      }
    }
    // On a link with two ends IFA_ADDRESS is the other one's; without IFA_LOCAL it is ours.
    guard let address = local ?? other else { return nil }
    self.address = address
    let isProven = flags & ROAMKEY_IFA_F_TENTATIVE == 0 || flags & ROAMKEY_IFA_F_OPTIMISTIC != 0
    guard isProven, flags & (ROAMKEY_IFA_F_DADFAILED | ROAMKEY_IFA_F_DEPRECATED) == 0 else { return nil }
  }
}

extension Route {
  /// From an answer to RTM_GETROUTE; nil for one that leads nowhere, or from no address.
  init?(_ bytes: RawSpan, _ payload: Range<Int>) {
    guard let info = bytes.header(of: payload, as: rtmsg.self) else { return nil }
    switch CInt(info.rtm_type) {
    case CInt(RTN_UNICAST), CInt(RTN_LOCAL), CInt(RTN_BROADCAST), CInt(RTN_ANYCAST), CInt(RTN_MULTICAST): break
    default: return nil
    }
    var values: (interface: UInt32?, source: Range<Int>?, gateway: Range<Int>?, via: Range<Int>?)
    var rest = bytes.attributes(of: payload, behind: rtmsg.self)
    while let attribute = NetlinkAttribute.next(in: bytes, from: &rest) {
      switch attribute.type {
      case ROAMKEY_RTA_OIF: values.interface = bytes.number(attribute.value)
      case ROAMKEY_RTA_PREFSRC: values.source = attribute.value
      case ROAMKEY_RTA_GATEWAY: values.gateway = attribute.value
      case ROAMKEY_RTA_VIA: values.via = attribute.value
      default: break
      }
    }
    guard let interface = values.interface, interface != 0, let sourceBytes = values.source,
      let source = bytes.address(sourceBytes, family: info.rtm_family, interface: interface)
    else { return nil }
    var gateway = values.gateway.flatMap { bytes.address($0, family: info.rtm_family, interface: interface) }
    // An IPv4 route by way of an IPv6 router (RFC 5549): a family of two bytes, then its address.
    if let via = values.via, via.count > 2 {
      let family = bytes.unsafeLoadUnaligned(fromByteOffset: via.lowerBound, as: sa_family_t.self)
      let address = via.lowerBound + 2..<via.upperBound
      gateway = bytes.address(address, family: UInt8(truncatingIfNeeded: family), interface: interface)
    }
    self.init(source: source, gateway: gateway, interface: interface)
  }
}

extension RawSpan {
  /// The fixed part of a message; nil where it is cut off.
  func header<Header: BitwiseCopyable>(of payload: Range<Int>, as type: Header.Type) -> Header? {
    guard payload.count >= MemoryLayout<Header>.size else { return nil }
    return unsafeLoadUnaligned(fromByteOffset: payload.lowerBound, as: type)
  }

  fileprivate func attributes<Header>(of payload: Range<Int>, behind header: Header.Type) -> Range<Int> {
    let size = NetlinkAttribute.aligned(MemoryLayout<Header>.size)
    return min(payload.lowerBound + size, payload.upperBound)..<payload.upperBound
  }

  fileprivate func number(_ value: Range<Int>) -> UInt32? { header(of: value, as: UInt32.self) }

  /// An address of `family`; a link-local one belongs to `interface`. Nil where the length is another family's.
  fileprivate func address(_ value: Range<Int>, family: UInt8, interface: UInt32) -> NetworkAddress? {
    switch (CInt(family), value.count) {
    case (AF_INET, 4):
      let ip = UInt32(bigEndian: unsafeLoadUnaligned(fromByteOffset: value.lowerBound, as: UInt32.self))
      return NetworkAddress(ip: 0xffff << 32 | UInt128(ip), port: 0)
    case (AF_INET6, 16):
      let ip = UInt128(bigEndian: unsafeLoadUnaligned(fromByteOffset: value.lowerBound, as: UInt128.self))
      var address = NetworkAddress(ip: ip, port: 0)
      if address.isLinkLocal { address.scope = interface }
      return address
    default: return nil
    }
  }
}
