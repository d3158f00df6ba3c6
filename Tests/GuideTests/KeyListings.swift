import Roamkey

// The listings of docs/GUIDE.md about keys: that they compile is what is tested of them.

func join(_ server: String) async throws -> Client {
  try await Client(
    key: .loadOrGenerate("keys/root.pem").forApplication("galaxy/1"), application: "galaxy/1", server: server)
}

extension Market {
  /// A player has sent the text of a `.handover` file, under the old key or the new one.
  func handOver(_ message: Message) -> String {
    do {
      for handover in try Handover.all(in: message.text ?? "") { try heroes.apply(handover) }
      return "Your hero has a new key"
    } catch {
      return "\(error)"  // one sentence, loud where a key was stolen
    }
  }
}
