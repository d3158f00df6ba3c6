import Roamkey

print("Your name?")
let client = try await Client(
  key: .loadOrGenerate("keys/me.pem"), application: "chat/1", server: "localhost", name: readLine())
print("You are in \(client.serverName)")

Task.detached { [client] in
  while let line = readLine() { try client.send(line) }
  await client.close()  // says all that was typed, and then goodbye
}
for await event in client.events {
  switch event {
  case .message(let message): print(message.shownText)
  case .offline: print("(looking for the server)")
  case .online: print("(there it is)")
  case .reconnected(let undelivered): for lost in undelivered { try client.send(lost) }
  case .roamed, .serverRoamed: break  // somebody has another address now: nothing to do
  case .disconnected(let reason): print("The end: \(reason)")
  }
}
