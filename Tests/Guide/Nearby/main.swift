import Roamkey

for await servers in try Client.servers(for: "chat/1") {
  for server in servers {
    print(server.name ?? "no name", server.players, "of", server.capacity, server.id.fingerprint)
  }
}
