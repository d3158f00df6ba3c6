import Roamkey

/// Says what is typed, and prints what is said.
func join(_ host: String, name: String, pinned: PlayerID?) async throws {
  let client = try await Client(
    key: .loadOrGenerate("keys/\(name).pem"), application: "chat/1", server: host, pinned: pinned, name: name)
  if pinned == nil { print("(Is this the right server? Its fingerprint: \(client.serverID.fingerprint))") }

  Task.detached {
    while let line = readLine() {
      do { try client.send(line) } catch { print("(not sent: \(error))") }
    }
    await client.close()
  }
  for await event in client.events {
    switch event {
    case .message(let message): print(message.shownText)
    case .offline: print("(looking for the server)")
    case .online: print("(there it is)")
    case .reconnected(let undelivered):
      print("(the server was started anew)")
      for lost in undelivered { try client.send(lost) }
    case .roamed, .serverRoamed: break
    case .disconnected(let reason): print("(the end: \(reason))")
    }
  }
}
