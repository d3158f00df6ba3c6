import RoamkeyEngine
package import RoamkeyWire

/// Watching the network, and meddling with it.
extension SimulatedWorld {
  /// Shows every datagram that a host sends to somebody on the way, who may keep it from arriving.
  package func tap(_ tap: @escaping (Datagram) -> TapVerdict) { taps.append(tap) }

  /// Sends bytes with any source address, as attackers can. They are not lost on the way, and no cut stops them; a NAT
  /// asks where they come from.
  package func inject(
    _ bytes: [UInt8], from source: NetworkAddress, to destination: NetworkAddress = serverAddress,
    after delay: Duration = .zero
  ) {
    let datagram = Datagram(
      time: now, source: source, destination: destination, bytes: bytes,
      serverProcess: serverHost.formerProcesses.count)
    queue.insert(.flight(Flight(datagram, sender: nil)), at: now + delay)
  }

  /// Sends a datagram again, or first, as somebody on the way can: from any address, as it was or changed. What its
  /// sender could prove, it still proves.
  package func forward(
    _ datagram: Datagram, as bytes: [UInt8]? = nil, from source: NetworkAddress? = nil, after delay: Duration
  ) {
    var copy = datagram
    copy.bytes = bytes ?? datagram.bytes
    copy.source = source ?? datagram.source
    queue.insert(.flight(Flight(copy, sender: nil)), at: now + delay)
  }

  /// Gives somebody an address of their own: who is no host, but gets what is sent there.
  package func hear(_ address: NetworkAddress, _ listener: @escaping (Datagram) -> Void) {
    listeners[address] = listener
  }

  /// Bytes that the server's process sent to an address, and got from it.
  package func serverTraffic(with address: NetworkAddress) -> (sent: Int, received: Int) { ledger.totals(address) }
}
