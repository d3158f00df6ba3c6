import TestSupport
import Testing

@testable import Roamkey

/// Those who do not get in, and what they are told.
@Suite(.realTime, .timeLimit(.minutes(40))) struct RefusalTests {
  private func error(_ work: () async throws -> Client) async -> RoamkeyError? {
    do {
      let client = try await work()
      await client.close(afterDelivery: false)
      Issue.record("was let in")
      return nil
    } catch {
      return error as? RoamkeyError
    }
  }

  @Test func anotherKeyThanThePinnedOne() async throws {
    let server = try await makeServer()
    let other = PlayerKey.generate().id
    let error = await error {
      try await Client(key: .generate(), application: "test/1", server: "\(server.address)", pinned: other)
    }
    #expect(error?.code == .wrongServer)
    #expect(error?.isRefusal == true)
    #expect(error?.foundServer == server.id)
    #expect(error?.description.contains(server.id.description) == true)
    #expect(server.players.isEmpty)
    // The honest case.
    await (try await makeClient(server)).close()
    await server.close()
  }

  @Test func notOnTheList() async throws {
    let seed = randomSeed()
    let friendID = sameKey(seed).id
    let server = try await makeServer(allow: [friendID])
    let refused = await error { try await makeClient(server) }
    #expect(refused?.code == .notAllowed)
    #expect(refused?.isRefusal == true)
    await (try await makeClient(server, key: sameKey(seed))).close()
    #expect(await server.statistics().refusals == 1)
    await server.close()
    // Of the one who was refused the app hears nothing.
    #expect(server.takeEvents() == [.joined(friendID), .left(friendID, .closed)])
  }

  @Test func denied() async throws {
    let seed = randomSeed()
    let id = sameKey(seed).id
    let server = try await makeServer(deny: [id])
    let refused = await error { try await makeClient(server, key: sameKey(seed)) }
    #expect(refused?.code == .banned)
    server.updateAccess(allow: nil)
    let client = try await makeClient(server, key: sameKey(seed))
    server.updateAccess(allow: nil, deny: [id])
    guard case .kicked = await client.waitUntilDisconnected() else {
      Issue.record("was not put out")
      return
    }
    await client.close()
    await server.close()
  }

  @Test func anotherApplication() async throws {
    let server = try await makeServer(application: "other/1")
    let error = await error { try await makeClient(server) }
    #expect(error?.code == .wrongApplication)
    #expect(error?.isRefusal == true)
    await server.close()
  }

  @Test func anotherSigningPolicy() async throws {
    let server = try await makeServer(signingPolicy: .sealedOnly)
    let error = await error {
      try await Client(
        key: .generate(), application: "test/1", server: "\(server.address)", requiring: .everyPacket)
    }
    #expect(error?.code == .wrongSigningPolicy)
    await server.close()
  }

  @Test func full() async throws {
    var configuration = RoamkeyConfiguration()
    configuration.maximumSessions = 1
    let server = try await makeServer(configuration: configuration)
    let client = try await makeClient(server)
    #expect(await error { try await makeClient(server) }?.code == .full)
    await client.close()
    await server.close()
  }

  @Test func nobodyThere() async throws {
    var configuration = RoamkeyConfiguration()
    configuration.handshakeTimeout = .milliseconds(300)
    let server = try await makeServer()
    let address = server.address
    await server.close()
    let error = await error {
      try await Client(
        key: .generate(), application: "test/1", server: "\(address)", configuration: configuration)
    }
    #expect(error?.code == .noAnswer)
    #expect(error?.isRefusal == false)
  }

  @Test func aPortThatIsTaken() async throws {
    let server = try await makeServer()
    do throws(RoamkeyError) {
      _ = try await Server(key: .generate(), application: "test/1", listen: server.address)
      Issue.record("listened twice")
    } catch {
      #expect(error.code == .portInUse)
      #expect(error.description.contains("\(server.address.port)"))
    }
    await server.close()
  }

  @Test(arguments: [("no such host.invalid", RoamkeyError.Code.badAddress), ("127.0.0.1:99999", .badPort)])
  func aServerTextWithAMistake(_ text: String, _ code: RoamkeyError.Code) async throws {
    let error = await error { try await Client(key: .generate(), application: "test/1", server: text) }
    #expect(error?.code == code)
    #expect(error?.isRefusal == false)
  }

  @Test func whatTheAppSaysWrongIsToldAtOnce() async throws {
    func code(_ work: () async throws -> Server) async -> RoamkeyError.Code? {
      do {
        await (try await work()).close()
        return nil
      } catch {
        return (error as? RoamkeyError)?.code
      }
    }
    #expect(await code { try await Server(key: .generate(), application: "", port: 0) } == .badApplication)
    let long = String(repeating: "ä", count: 128)
    #expect(await code { try await Server(key: .generate(), application: long, port: 0) } == .badApplication)
    #expect(await code { try await Server(key: .generate(), application: "a", port: 65536) } == .badPort)
    #expect(await code { try await Server(key: .generate(), application: "a", port: -1) } == .badPort)
    #expect(
      await code { try await Server(key: .generate(), application: "a", port: 0, name: "a\u{202e}b") } == .badName)
    #expect(await code { try await Server(key: .generate(), application: "a", port: 0, name: "Ada's room") } == nil)
  }

  @Test func aCancelledConnectReturns() async throws {
    let silent = try await makeServer(
      configuration: {
        var c = RoamkeyConfiguration(); c.isQuiet = true; return c
      }())
    let address = silent.address
    let task = Task { try await Client(key: .generate(), application: "test/1", server: "\(address)") }
    task.cancel()
    await #expect(throws: RoamkeyError.self) { try await task.value }
    await silent.close()
  }
}
