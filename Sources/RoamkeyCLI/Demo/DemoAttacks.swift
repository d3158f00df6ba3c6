internal import Roamkey
internal import RoamkeyTerminal

/// Those who want to be somebody else.
struct DemoAttacks: Sendable {
  struct Impostors: Sendable {
    var playerWasRefused: Bool
    var serverWasRefused: Bool

    var refused: Int { (playerWasRefused ? 1 : 0) + (serverWasRefused ? 1 : 0) }
  }

  struct Replay: Sendable {
    var sent: Int
    var dropped: Int
    /// Whether Ada's address, and what was delivered, are what they were.
    var changedNothing: Bool
  }

  let cast: DemoCast

  /// Joins with a key that is not on the list. Whether it was refused for that.
  func poseAsPlayer() async -> Bool {
    do throws(RoamkeyError) {
      let client = try await Client(
        key: .generate(), application: DemoCast.application, server: "\(cast.server.address)", pinned: cast.server.id)
      await client.close(afterDelivery: false)
      return false
    } catch {
      return error.code == .notAllowed
    }
  }

  /// Runs a server with another key for somebody who has pinned the real one. Whether it was refused for that.
  func poseAsServer() async -> Bool {
    var configuration = RoamkeyConfiguration()
    // On the open internet one would wait longer for the right server to answer after all.
    configuration.doubtfulAnswerPatience = .milliseconds(500)
    do throws(RoamkeyError) {
      let impostor = try await Server(
        key: .generate(), application: DemoCast.application, listen: NetworkAddress(ipv4: 127, 0, 0, 66, port: 0),
        discovery: .off)
      var wasRefused = false
      do throws(RoamkeyError) {
        let client = try await Client(
          key: .generate(), application: DemoCast.application, server: "\(impostor.address)", pinned: cast.server.id,
          configuration: configuration)
        await client.close(afterDelivery: false)
      } catch {
        wasRefused = error.code == .wrongServer && error.foundServer == impostor.id
      }
      await impostor.close()
      return wasRefused
    } catch {
      return false
    }
  }

  /// Sends Ada's recorded packets again, from an address that she never had.
  func replay() async throws(Failure) -> Replay {
    let recorded = cast.relay.state.recorded
    let addressBefore = cast.server.address(of: cast.ada.id)
    let movesBefore = cast.record.withLock { $0.moves.count }
    let before = await cast.server.statistics().dropped
    try send(recorded)
    // Datagrams to loopback are there when they were sent; the server's thread needs a moment to look at them.
    var dropped = 0
    for _ in 0..<500 where dropped < recorded.count {
      try? await Task.sleep(for: .milliseconds(2))
      dropped = Int(await cast.server.statistics().dropped - before)
    }
    let changedNothing =
      cast.server.address(of: cast.ada.id) == addressBefore && cast.record.withLock { $0.moves.count } == movesBefore
    return Replay(sent: recorded.count, dropped: dropped, changedNothing: changedNothing)
  }

  private func send(_ datagrams: [[UInt8]]) throws(Failure) {
    let socket = try DemoSocket(NetworkAddress(ipv4: 127, 0, 0, 66, port: 0))
    for datagram in datagrams { socket.send(datagram[...], to: cast.server.address) }
  }
}
