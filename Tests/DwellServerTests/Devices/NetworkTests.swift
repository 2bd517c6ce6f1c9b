import NIOCore
import Testing

@testable import DwellServer

@Suite struct NetworkTests {
    @Test(arguments: [
        ("203.0.113.77", "203.0.113.0/24"), ("2001:db8:12:34:5678::9", "2001:db8:12::/48"),
        ("2001:db8::1", "2001:db8::/48"),
        ("::1", "::/48"), ("fe80::1", "fe80::/48"), ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("2001:0:5::1", "2001:0:5::/48"),
    ])
    func `only the network of an address is told`(address: String, network: String) throws {
        #expect(try #require(ClientAddress(address)).place.description == network)
    }

    @Test(arguments: [
        ("203.0.113.77", "203.0.113.77/32"), ("2001:db8:12:34:5678::9", "2001:db8:12:34::/64"),
        ("::ffff:203.0.113.77", "203.0.113.77/32"),
    ])
    func `a connection is all of IPv4, and half of IPv6`(address: String, network: String) throws {
        #expect(try #require(ClientAddress(address)).connection.description == network)
    }

    @Test(arguments: [
        ("127.0.0.1", "203.0.113.77", "203.0.113.0/24"), ("127.0.0.1", "198.51.100.7, 203.0.113.77", "203.0.113.0/24"),
        ("::1", "2001:db8:12::9", "2001:db8:12::/48"), ("127.0.0.1", "unknown", "127.0.0.0/24"),
        ("127.0.0.1", "203.0.113.77, unknown", "127.0.0.0/24"), ("127.0.0.1", "127.0.0.9", "127.0.0.0/24"),
        ("127.0.0.1", "", "127.0.0.0/24"), ("198.51.100.7", "203.0.113.77", "198.51.100.0/24"),
    ])
    func `a proxy is believed on this machine only`(peer: String, forwarded: String, network: String) throws {
        #expect(try place(.standard, peer, forwarded) == network)
    }

    @Test(arguments: [
        ("10.1.2.3", "203.0.113.77", "203.0.113.0/24"),
        // Through two of them.
        ("2001:db8:ffff::1", "203.0.113.77, 10.1.2.3", "203.0.113.0/24"),
        // What the client wrote itself stands before the address that a proxy saw.
        ("10.1.2.3", "10.9.9.9, 198.51.100.7, 203.0.113.77", "203.0.113.0/24"),
        ("11.1.2.3", "203.0.113.77", "11.1.2.0/24"), ("127.0.0.1", "203.0.113.77", "127.0.0.0/24"),
    ])
    func `the last address that is no trusted proxy's is the client's`(
        peer: String, forwarded: String, network: String
    ) throws {
        let proxies = TrustedProxies(["10.0.0.0/8", "2001:db8:ffff::/48"].compactMap { Network($0) })
        #expect(try place(proxies, peer, forwarded) == network)
    }

    @Test(arguments: ["10.0.0.0/33", "10.0.0.0/-1", "10.0.0/8", "::/129", "example.com", "", "10.0.0.0/", "10.0.0.0/x"])
    func `what is no network is none`(text: String) {
        #expect(Network(text) == nil)
    }

    private func place(_ proxies: TrustedProxies, _ peer: String, _ forwarded: String) throws -> String? {
        proxies.client(of: try SocketAddress(ipAddress: peer, port: 80), forwarded: forwarded)?.place.description
    }
}
