import Foundation
import Testing

@testable import DwellServer

@Suite struct OwnOriginTests {
    private static let authorities = [
        "a.example", "a.example:8080", "localhost", "127.0.0.1:80", "A.Example", "a.example:080", "a.example:0",
        "a.example:",
        "a.example:123456", "a.example:-1", "[::1]:80", "-", ".", "a..b", "a_b", "a%41", "", ":80", "a b", "ä.example",
        "user@a.example", "a.example/", "a.example:80:80", "a.example?x",
    ]

    @Test(arguments: authorities, ["http://", "https://", "HTTP://", "ftp://", "//", "", "http:"])
    func `reads an origin as a parser of addresses does`(authority: String, scheme: String) {
        let parsed = URL(string: scheme + authority)?.authority
        for host in Self.authorities {
            let isOwn = OwnOrigin(publicURL: nil).isNamed(by: scheme + authority, site: nil, host: host)
            #expect(isOwn == (parsed != nil && parsed == host.lowercased()))
        }
    }

    @Test func `takes the public address for its own, and no other site`() {
        let own = OwnOrigin(publicURL: URL(string: "https://a.example"))
        #expect(own.isNamed(by: "https://a.example", site: "same-origin", host: "10.0.0.1:8080"))
        #expect(own.isNamed(by: nil, site: nil, host: nil))
        #expect(!own.isNamed(by: "https://a.example", site: "cross-site", host: "a.example"))
        #expect(!own.isNamed(by: "https://b.example", site: "same-site", host: "10.0.0.1:8080"))
        #expect(!own.isNamed(by: "null", site: nil, host: nil))
    }
}
