/// What a driver does about the networks that its machine is on.
package enum Mobility: Sendable {
  /// Nothing: they are not watched.
  case fixed
  /// Tells the handler of changes and keeps its socket, which peers know: a server.
  case host
  /// Tells the handler of changes, opens a new socket when the way to the first watched address is lost or another one,
  /// and doors through the interfaces that the system does not prefer: a client. A driver whose socket is bound to one
  /// address does as `host` does.
  case client
}
