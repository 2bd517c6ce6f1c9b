import Foundation
import NIOCore

/// The address of a client, as bytes: 4 of IPv4, 16 of IPv6.
package struct ClientAddress: Sendable, Hashable {
    fileprivate let bytes: [UInt8]

    /// - Returns: `nil` for an address that is none of a network's
    init?(_ address: SocketAddress) {
        guard let text = address.ipAddress else { return nil }
        self.init(text)
    }

    /// - Parameter text: Such as `203.0.113.77`; `nil` comes back for anything else
    package init?(_ text: String) {
        var bytes = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, text, &bytes) == 1 {
            self.bytes = Array(bytes[..<4])
        } else if inet_pton(AF_INET6, text, &bytes) == 1 {
            // An IPv4 address that a socket for both shows as IPv6.
            let isMapped = bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
            self.bytes = isMapped ? Array(bytes[12...]) : bytes
        } else {
            return nil
        }
    }

    /// About where the client is: the first 24 bits of IPv4, the first 48 of IPv6. Nothing more exact is ever stored.
    package var place: Network { Network(of: self, length: bytes.count == 4 ? 24 : 48) }

    /// What one client can be anything of: the whole of IPv4, and the 64 bits of IPv6 that a connection is given.
    var connection: Network { Network(of: self, length: bytes.count == 4 ? 32 : 64) }
}

/// Addresses that begin alike.
package struct Network: Sendable, Hashable, CustomStringConvertible {
    private let bytes: [UInt8]
    /// How many bits are alike.
    private let length: Int

    fileprivate init(of address: ClientAddress, length: Int) {
        bytes = address.bytes.enumerated().map { index, byte in
            let bits = min(max(length - index * 8, 0), 8)
            return byte & UInt8(truncatingIfNeeded: 0xFF00 >> bits)
        }
        self.length = length
    }

    /// - Parameter text: Such as `10.0.0.0/8`, `2001:db8::/32` or one address; `nil` comes back for anything else
    package init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = ClientAddress(String(parts[0])) else { return nil }
        let most = address.bytes.count * 8
        guard parts.count == 2 else {
            self.init(of: address, length: most)
            return
        }
        guard let length = Int(parts[1]), (0...most).contains(length) else { return nil }
        self.init(of: address, length: length)
    }

    func contains(_ address: ClientAddress) -> Bool {
        address.bytes.count == bytes.count && Network(of: address, length: length) == self
    }

    /// Such as `203.0.113.0/24` or `2001:db8:12::/48`.
    package var description: String {
        guard bytes.count == 16 else { return bytes.map { "\($0)" }.joined(separator: ".") + "/\(length)" }
        var groups = stride(from: 0, to: 16, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
        while groups.last == 0 { groups.removeLast() }
        let end = groups.count == 8 ? "" : "::"
        return groups.map { String($0, radix: 16) }.joined(separator: ":") + "\(end)/\(length)"
    }
}

/// The networks whose word is taken for where a request comes from: there the operator's proxies are.
package struct TrustedProxies: Sendable {
    /// The machine itself.
    package static let standard = TrustedProxies(["127.0.0.0/8", "::1"].compactMap { Network($0) })

    private let networks: [Network]

    package init(_ networks: [Network]) {
        self.networks = networks
    }

    /// Where a request comes from.
    /// - Parameters:
    ///   - peer: Where the connection comes from
    ///   - forwarded: Its `X-Forwarded-For`. Each proxy has put the address that it saw at the end: the last one that is no
    ///     trusted proxy's is the client's, and what stands before it is the client's own word
    func client(of peer: SocketAddress?, forwarded: String?) -> ClientAddress? {
        guard var client = peer.flatMap({ ClientAddress($0) }) else { return nil }
        for hop in (forwarded ?? "").split(separator: ",").reversed() {
            guard networks.contains(where: { $0.contains(client) }),
                let before = ClientAddress(hop.trimmingCharacters(in: .whitespaces))
            else { break }
            client = before
        }
        return client
    }
}
