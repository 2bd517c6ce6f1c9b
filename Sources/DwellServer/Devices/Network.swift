import Foundation
import NIOCore

/// About where a client is: the network that its address belongs to. Nothing more exact is ever kept.
enum Network {
    /// The network of an address: the first 24 bits of IPv4, the first 48 of IPv6.
    /// - Returns: Such as `203.0.113.0/24` or `2001:db8:12::/48`; `nil` for an address that is none of a network's
    static func text(of address: SocketAddress) -> String? {
        switch address {
        case .v4(let address):
            withUnsafeBytes(of: address.address.sin_addr) { v4(Array($0)) }
        case .v6(let address):
            withUnsafeBytes(of: address.address.sin6_addr) { v6(Array($0)) }
        case .unixDomainSocket: nil
        }
    }

    /// The network of a client.
    /// - Parameters:
    ///   - peer: Where the connection comes from
    ///   - forwarded: The request's `X-Forwarded-For`. It is heard from this machine alone: there it is the word of the
    ///     operator's proxy, which has put the address that it saw at the end
    static func text(of peer: SocketAddress?, forwarded: String?) -> String? {
        guard let peer else { return nil }
        let named = forwarded?.split(separator: ",").last?.trimmingCharacters(in: .whitespaces)
        guard isLoopback(peer), let named, let client = try? SocketAddress(ipAddress: named, port: 0) else {
            return text(of: peer)
        }
        return text(of: client)
    }

    private static func isLoopback(_ address: SocketAddress) -> Bool {
        guard let text = address.ipAddress else { return false }
        return text.hasPrefix("127.") || text == "::1" || text.hasPrefix("::ffff:127.")
    }

    private static func v4(_ bytes: [UInt8]) -> String {
        bytes.prefix(3).map { "\($0)." }.joined() + "0/24"
    }

    private static func v6(_ bytes: [UInt8]) -> String {
        // An IPv4 address that a socket for both shows as IPv6.
        if bytes[..<10].allSatisfy({ $0 == 0 }), bytes[10] == 0xFF, bytes[11] == 0xFF { return v4(Array(bytes[12...])) }
        var groups = stride(from: 0, to: 6, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
        while groups.last == 0 { groups.removeLast() }
        return groups.map { String($0, radix: 16) }.joined(separator: ":") + "::/48"
    }
}
