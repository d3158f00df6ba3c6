import RoamkeyWire

extension FuzzTargets {
  /// What each side says of itself inside the handshake.
  static let parameters = FuzzTarget(
    "parameters", longestInput: 700, milestones: ["read", "versions", "limits", "name", "token"]
  ) { input, reached in
    let bytes = input.rest()
    guard let parameters = try? HandshakeParameters(bytes.span.bytes) else { return }
    reached.reach(0)
    if !parameters.versions.isEmpty { reached.reach(1) }
    if parameters.initialCredit != nil, parameters.maximumMessageSize != nil, parameters.initialChannelCredit != nil {
      reached.reach(2)
    }
    if let name = parameters.displayName {
      precondition(DisplayText.isClean(name) && name.utf8.count <= 64, "a name that people may see")
      if !name.isEmpty { reached.reach(3) }
    }
    if parameters.resetToken != nil { reached.reach(4) }
    precondition((1...255).contains(parameters.application.utf8.count), "an application has a name")
    let once = parameters.encoded()
    guard let again = try? HandshakeParameters(once.span.bytes) else {
      preconditionFailure("what was written cannot be read")
    }
    precondition(again == parameters, "what was written is something else")
    precondition(again.encoded() == once, "the second encoding differs from the first")
  }
}
