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
        #expect(Network.text(of: try SocketAddress(ipAddress: address, port: 80)) == network)
    }

    @Test(arguments: [
        ("127.0.0.1", "203.0.113.77", "203.0.113.0/24"), ("127.0.0.1", "198.51.100.7, 203.0.113.77", "203.0.113.0/24"),
        ("::1", "2001:db8:12::9", "2001:db8:12::/48"), ("127.0.0.1", "unknown", "127.0.0.0/24"),
        ("127.0.0.1", "", "127.0.0.0/24"), ("198.51.100.7", "203.0.113.77", "198.51.100.0/24"),
    ])
    func `a proxy is believed on this machine only`(peer: String, forwarded: String, network: String) throws {
        #expect(Network.text(of: try SocketAddress(ipAddress: peer, port: 80), forwarded: forwarded) == network)
    }
}
