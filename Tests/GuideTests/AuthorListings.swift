import Roamkey

func bid(_ gold: Int, _ client: some GameClient) throws {
  try client.send(Message(["gold": Value(gold)], as: "bid").signed())
}

/// What others have bid, as far as they have said so themselves.
func bids(_ client: some GameClient) -> [PlayerID: Int] {
  var bids: [PlayerID: Int] = [:]
  for case .message(let message) in client.takeEvents() {
    guard message.action == "bid", let author = message.author, message.isProven else { continue }
    bids[author] = message.value?["gold"]?.int
  }
  return bids
}
