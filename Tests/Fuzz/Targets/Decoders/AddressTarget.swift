import RoamkeyWire

extension FuzzTargets {
  /// Numeric addresses as text: strict to read, and written in one form only (RFC 5952).
  static let addresses = FuzzTarget(
    "addresses", longestInput: 80, milestones: ["ipv4", "ipv6", "scope", "mapped", "withoutPort", "kinds"]
  ) { input, reached in
    let defaultPort: UInt16? = input.byte() & 1 == 0 ? nil : 7447
    let text = String(decoding: input.rest(), as: UTF8.self)
    guard let address = try? NetworkAddress(text, defaultPort: defaultPort) else { return }
    if address.isIPv4 { reached.reach(text.contains("::") ? 3 : 0) } else { reached.reach(1) }
    if address.scope != 0 { reached.reach(2) }
    if defaultPort != nil, address.port == 7447, !text.hasSuffix("7447") { reached.reach(4) }
    let kinds = [
      address.isLoopback, address.isMulticast, address.isBroadcast, address.isLinkLocal, address.isSelfAssigned,
      address.isPrivate, address.isUnspecified,
    ]
    if kinds.contains(true) { reached.reach(5) }
    precondition(!(address.isLoopback && (address.isMulticast || address.isPrivate)), "an address of two kinds")
    precondition(address.scope == 0 || address.isLinkLocal, "only link-local addresses have a scope")
    let written = address.description
    let again = try? NetworkAddress(written)
    precondition(again == address, "\(written) is not read as what was written")
    precondition(address.isIPv4 == again?.isIPv4, "an address changes its family")
    var bare = address
    bare.port = 9
    precondition((try? NetworkAddress(address.host, defaultPort: 9)) == bare, "the host alone is another address")
    precondition(address.prefixKey & ~address.ip == 0, "a prefix has bits that its address does not have")
  }
}
