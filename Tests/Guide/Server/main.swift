import Roamkey

let server = try await Server(key: .loadOrGenerate("keys/server.pem"), application: "chat/1")
print("I am \(server.id)")
for await event in server.events {
  if case .message(let message, let player) = event {
    server.broadcast("\(server.name(of: player)): \(message.shownText)")
  }
}
