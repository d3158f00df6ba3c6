import Roamkey

/// How often somebody was here: it hangs on the key, not on the name.
private struct Guest: Codable {
  var visits = 0
}

/// A room in which everybody hears everybody.
func serve(name: String?) async throws {
  let server = try await Server(key: .loadOrGenerate("keys/server.pem"), application: "chat/1", name: name)
  let guests = try PlayerStorage(file: "data/guests", default: Guest())
  print("Others type: Chat join HOST NAME \(server.id)")

  for await event in server.events {
    switch event {
    case .joined(let player):
      let visits = guests.update(player) { guest in
        guest.visits += 1
        return guest.visits
      }
      let name = server.name(of: player)
      server.send(visits == 1 ? "Welcome, \(name)" : "Welcome back, \(name), for the \(visits). time", to: player)
      tell(server, "\(name) is here", except: [player])
    case .message(let message, let player):
      guard message.text != nil, message.body.count <= 1000 else {
        server.kick(player, reason: "at most 1000 bytes of text, please")
        continue
      }
      tell(server, "\(server.name(of: player)): \(message.shownText)")
    case .left(let player, let reason): tell(server, "\(server.name(of: player)) has left (\(reason))")
    case .roamed, .offline, .online: break
    }
  }
}

private func tell(_ server: Server, _ text: String, except: Set<PlayerID> = []) {
  print(text)
  for (player, error) in server.broadcast(text, except: except) {
    // Who does not read must not keep the others waiting.
    if case .queueFull = error { server.dropSlow(player) }
  }
}
