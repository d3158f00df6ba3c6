import Roamkey

let client = try await Client(
  key: .loadOrGenerate("keys/me.pem"), application: "chat/1", server: "localhost", name: "Ada")
try client.send("Hello!")
for await event in client.events {
  if case .message(let message) = event { print(message.shownText) }
}
