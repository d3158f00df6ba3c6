internal import Roamkey

/// What somebody has written behind `connect`: a host, or the name of a server on the local network.
///
/// Nobody on the local network can take the place of a domain name by calling a server after it: of a text with a dot
/// DNS is asked first. Of a plain word the local network is asked first, since hardly any host is called by one.
package enum Destination: Equatable {
  /// With a port, an address, or `localhost`.
  case host
  /// With a dot, such as `example.org`; a name if there is no such host.
  case hostOrName
  /// A word, such as `attic`; a host if no server has that name.
  case nameOrHost
  /// What no host can be called, such as `Ada's room`.
  case name

  /// What `text` is, by its look alone.
  package init(_ text: String) {
    // A text that nothing can be called is for the look-up of hosts to complain about.
    guard !Console.label(text).isEmpty else {
      self = .host
      return
    }
    let isAddress = (try? NetworkAddress(text, defaultPort: Client.defaultPort)) != nil
    let hasSpaces = text.contains(where: \.isWhitespace)
    if isAddress || text.lowercased() == "localhost" || (!hasSpaces && text.contains(where: { ":[]".contains($0) })) {
      self = .host
    } else if text.utf8.contains(where: { !Self.isOfHosts($0) }) {
      self = .name
    } else {
      self = text.contains(".") ? .hostOrName : .nameOrHost
    }
  }

  /// Letters, digits and hyphen (RFC 952), the dot, and the underscore that some use all the same.
  private static func isOfHosts(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
      true
    default: false
    }
  }
}
