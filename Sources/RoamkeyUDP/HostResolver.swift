internal import Glibc
package import RoamkeyWire

/// Why a host could not be found. Its description says what to do.
public enum HostError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The text is not `host:port`, `address:port` or `[address]:port`.
  case badText(String)
  /// The port is not a number from 1 to 65535.
  case badPort(String)
  /// There is no such host, or it has no address.
  case notFound(host: String)
  /// The name service did not answer: mostly, there is no network now.
  case noAnswer(host: String)

  public var description: String {
    switch self {
    case .badText(let text): "'\(text)' is not a host and port: write it like example.org:7447 or [2001:db8::1]:7447"
    case .badPort(let text): "the port in '\(text)' must be a number from 1 to 65535"
    case .notFound(let host): "cannot find host '\(host)': check the spelling or the network"
    case .noAnswer(let host): "cannot look up host '\(host)' now: check the network, then try again"
    }
  }
}

/// Finds the addresses of a host by the system's own means: hosts file, DNS, whatever it is set up for.
package enum HostResolver {
  /// RFC 1035 §2.3.4 allows no longer names.
  static let longestName = 253
  /// More addresses than a client would try one after the other.
  static let mostAddresses = 16

  /// The addresses of `hostPort`, best first (RFC 6724), each once, at most 16.
  ///
  /// It blocks, for seconds when the network is bad: never call it on a driver's thread or in an async function.
  /// - Parameters:
  ///   - hostPort: `host:port`, `host`, `[v6]:port`, or a bare address of either family.
  ///   - defaultPort: for a text without one.
  package static func resolve(_ hostPort: String, defaultPort: UInt16) throws(HostError) -> [NetworkAddress] {
    if let address = try numeric(hostPort, defaultPort: defaultPort) { return [address] }
    let (host, port) = try split(hostPort, defaultPort: defaultPort)
    return try lookUp(host, port: port)
  }

  private static func numeric(_ text: String, defaultPort: UInt16) throws(HostError) -> NetworkAddress? {
    do {
      let address = try NetworkAddress(text, defaultPort: defaultPort)
      guard address.port != 0 else { throw HostError.badPort(shown(text)) }
      return address
    } catch let error as NetworkAddressError {
      // A scope by name (fe80::1%eth0) is for the system to read; a port is wrong whatever precedes it.
      if error == .badPort { throw HostError.badPort(shown(text)) }
      return nil
    } catch let error as HostError {
      throw error
    } catch {
      return nil
    }
  }

  private static func split(_ text: String, defaultPort: UInt16) throws(HostError) -> (host: String, port: UInt16) {
    // A name of the system's goes to C: no NUL may cut it short, and nothing invisible may hide in it.
    let isPlain = text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7f }
    guard isPlain, !text.isEmpty, text.utf8.count <= longestName + 8 else { throw .badText(shown(text)) }
    var host = Substring(text)
    var digits: Substring?
    if host.first == "[" {
      guard let end = host.lastIndex(of: "]") else { throw .badText(shown(text)) }
      let rest = host[host.index(after: end)...]
      guard rest.isEmpty || rest.first == ":" else { throw .badText(shown(text)) }
      digits = rest.isEmpty ? nil : rest.dropFirst()
      host = host[host.index(after: host.startIndex)..<end]
      guard host.contains(":") else { throw .badText(shown(text)) }
    } else if host.count(where: { $0 == ":" }) == 1, let colon = host.firstIndex(of: ":") {
      digits = host[host.index(after: colon)...]
      host = host[..<colon]
    }
    guard !host.isEmpty, host.utf8.count <= longestName, !host.contains(where: { "[]/@".contains($0) }) else {
      throw .badText(shown(text))
    }
    guard let digits else { return (String(host), defaultPort) }
    guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = UInt16(digits), port > 0 else {
      throw .badPort(shown(text))
    }
    return (String(host), port)
  }

  private static func lookUp(_ host: String, port: UInt16) throws(HostError) -> [NetworkAddress] {
    var hints = addrinfo()
    hints.ai_family = AF_UNSPEC
    hints.ai_socktype = CInt(SOCK_DGRAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    let result = getaddrinfo(host, nil, &hints, &list)
    defer { if let list { freeaddrinfo(list) } }
    guard result == 0 else {
      throw result == EAI_AGAIN || result == EAI_SYSTEM ? .noAnswer(host: shown(host)) : .notFound(host: shown(host))
    }
    var addresses: [NetworkAddress] = []
    var next = list
    while let entry = next?.pointee, addresses.count < mostAddresses {
      next = entry.ai_next
      guard let address = address(of: entry, port: port), !addresses.contains(address) else { continue }
      addresses.append(address)
    }
    guard !addresses.isEmpty else { throw .notFound(host: shown(host)) }
    return addresses
  }

  private static func address(of entry: addrinfo, port: UInt16) -> NetworkAddress? {
    guard let source = entry.ai_addr, Int(entry.ai_addrlen) <= MemoryLayout<SocketName>.size else { return nil }
    var name = SocketName()
    withUnsafeMutableBytes(of: &name) { slot in
      slot.copyMemory(from: UnsafeRawBufferPointer(start: source, count: Int(entry.ai_addrlen)))
    }
    var address = NetworkAddress(name: &name)
    address?.port = port
    return address
  }

  /// A text for an error sentence: short, and without what could disturb a terminal.
  private static func shown(_ text: String) -> String {
    let plain = text.unicodeScalars.prefix(80).map { $0.properties.generalCategory == .control ? "?" : String($0) }
    return plain.joined()
  }
}
