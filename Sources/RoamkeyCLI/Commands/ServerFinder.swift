internal import Roamkey

/// Connects to a server under the key that it must have: the one that was given, or the one that it had before.
struct ServerFinder {
  let host: String
  let pin: PlayerID?
  let known: KnownServers
  let application: String

  func connect(_ key: consuming PlayerKey) async throws(Failure) -> Client {
    let name = KnownServers.name(of: host)
    // Whoever names the key need not trust a file.
    let entry = pin == nil ? try known.find(name) : nil
    let client: Client
    do throws(RoamkeyError) {
      client = try await Client(key: key, application: application, server: host, pinned: pin ?? entry?.server)
    } catch {
      if let entry, let found = error.foundServer { throw known.refusal(entry, found: found, name: name) }
      throw Failure(error)
    }
    if pin == nil && entry == nil { try await remember(client, name) }
    return client
  }

  private func remember(_ client: Client, _ name: String) async throws(Failure) {
    do throws(Failure) {
      let entry = try known.remember(client.serverID, as: name)
      guard entry.server == client.serverID else { throw known.refusal(entry, found: client.serverID, name: name) }
    } catch {
      await client.close(afterDelivery: false)
      throw error
    }
    Console.note("first time at \(name): its key \(client.serverID) is remembered in \(known.path)")
    Console.note("compare aloud with its owner: \(client.serverID.fingerprint)")
  }
}
