internal import Roamkey

/// Those who want to be somebody else.
extension LoopbackStage {
  func poseAsPlayer() async -> Bool {
    do throws(RoamkeyError) {
      let client = try await Client(
        key: .generate(), application: Self.application, server: "\(server.address)", pinned: server.id)
      await client.close(afterDelivery: false)
      return false
    } catch {
      return error.code == .notAllowed
    }
  }

  /// Runs a server with another key for somebody who has pinned the real one.
  func poseAsServer() async -> Bool {
    var configuration = RoamkeyConfiguration()
    // On the open internet one would wait longer for the right server to answer after all.
    configuration.doubtfulAnswerPatience = .milliseconds(500)
    do throws(RoamkeyError) {
      let impostor = try await Server(
        key: .generate(), application: Self.application, listen: NetworkAddress(ipv4: 127, 0, 0, 66, port: 0),
        discovery: .off)
      var wasRefused = false
      do throws(RoamkeyError) {
        let client = try await Client(
          key: .generate(), application: Self.application, server: "\(impostor.address)", pinned: server.id,
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

  func replay() async throws(Failure) -> DemoReplay {
    let recorded = relay.state.recorded
    let placeBefore = place(of: .ada)
    let movesBefore = record.moves.count
    let before = await server.statistics().dropped
    let socket = try DemoSocket(NetworkAddress(ipv4: 127, 0, 0, 66, port: 0))
    for datagram in recorded { socket.send(datagram[...], to: server.address) }
    // Datagrams to loopback are there when they were sent; the server's thread needs a moment to look at them.
    var dropped = 0
    for _ in 0..<500 where dropped < recorded.count {
      await pass(.milliseconds(2))
      dropped = Int(await server.statistics().dropped - before)
    }
    let changedNothing = place(of: .ada) == placeBefore && record.moves.count == movesBefore
    return DemoReplay(sent: recorded.count, dropped: dropped, changedNothing: changedNothing)
  }
}
