import RoamkeyWire

/// Keeps the books of a server's process from outside (PROTOCOL §5): an address that cannot have been validated yet
/// never gets more than three times what came from it.
///
/// An address can have been validated once somebody who had received something there was heard by the server, wherever
/// either of them is by then. It is the receiver that is protected, so a server with many addresses has one account
/// with each.
struct AmplificationLedger {
  private struct Account {
    var received = 0
    var sent = 0
    var isProven = false
  }

  private var accounts: [NetworkAddress: Account] = [:]

  /// - Parameter serverProcess: which one of the server's processes keeps these books. What was sent while another one
  ///   ran cannot prove anything to it.
  mutating func onReceived(_ datagram: Datagram, serverProcess: Int) {
    if datagram.serverProcess == serverProcess {
      datagram.proofs.map { prove($0, datagram.proofCount) }
      for address in datagram.passedOnFrom { accounts[address, default: Account()].isProven = true }
    }
    accounts[datagram.source, default: Account()].received += datagram.bytes.count
  }

  private mutating func prove(_ proofs: Proofs, _ count: Int) {
    guard proofs.counted < count else { return }
    for address in proofs.addresses[proofs.counted..<count] { accounts[address, default: Account()].isProven = true }
    proofs.counted = count
  }

  /// Returns what is wrong with sending this, if anything.
  mutating func onSent(_ count: Int, to address: NetworkAddress) -> String? {
    var account = accounts[address] ?? Account()
    account.sent += count
    accounts[address] = account
    guard !account.isProven, account.sent > 3 * account.received else { return nil }
    return "\(account.sent) bytes to \(address), which is not validated and sent \(account.received)"
  }

  /// Bytes sent to and received from an address.
  func totals(_ address: NetworkAddress) -> (sent: Int, received: Int) {
    let account = accounts[address] ?? Account()
    return (account.sent, account.received)
  }
}
