import Roamkey
import RoamkeySimulator
import Testing

/// An auction in which the host is not trusted with the bids.
struct Auction {
  /// Signed with each bid, since a host may show one again in the next auction.
  let round: Int
  private(set) var bids: [PlayerID: Int] = [:]

  init(round: Int) { self.round = round }

  func bid(_ gold: Int, _ client: some GameClient) throws {
    try client.send(Message(["round": Value(round), "gold": Value(gold)], as: "bid").signed())
  }

  /// Takes what its author has said itself.
  mutating func take(_ message: Message) {
    guard message.action == "bid", let author = message.author, message.isProven,
      message.value?["round"]?.int == round, let gold = message.value?["gold"]?.int
    else { return }
    // A host may pass an older bid on again: the highest counts.
    bids[author] = max(gold, bids[author] ?? 0)
  }
}

@Test func theHighestBidOfTheRoundCounts() throws {
  let simulation = Simulation(seed: 1)
  let (ada, ben) = (simulation.addClient(), simulation.addClient())
  simulation.run(for: .seconds(2))
  for (round, gold) in [(1, 90), (2, 10), (2, 30)] { try Auction(round: round).bid(gold, ada) }
  simulation.run(for: .seconds(1))
  let said = simulation.server.takeEvents().compactMap { event in
    if case .message(let message, _) = event { message } else { nil }
  }
  // The host repeats all of it backwards, and makes one up.
  for message in said + said.reversed() { simulation.server.broadcast(message, from: ada.id) }
  let invented = try Message(["round": 2, "gold": 1000], as: "bid")
  simulation.server.broadcast(invented, from: ada.id)
  simulation.run(for: .seconds(1))
  var auction = Auction(round: 2)
  let heard = ben.takeEvents().compactMap { event in if case .message(let message) = event { message } else { nil } }
  for message in heard { auction.take(message) }
  #expect(heard.count == 7 && auction.bids == [ada.id: 30])
}
