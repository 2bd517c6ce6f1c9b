import Foundation
import Testing

@testable import DwellAPI
@testable import DwellServer

@Suite struct GateRulesTests {
    @Test(arguments: ["ada@example.com", "ADA@Example.com", "x@domain.example", "x@bücher.example"])
    func `a list has its addresses and those of its domains`(email: String) throws {
        let list = try AddressList(["ada@example.com", " Domain.example", "*@xn--bcher-kva.example"])
        #expect(list.contains(try EmailAddress.normalize(email)))
    }

    @Test(arguments: [
        "ad@example.com", "ada@example.co", "x@sub.domain.example", "x@domain.example.org", "x@bucher.example",
    ])
    func `a list has no others`(email: String) throws {
        let list = try AddressList(["ada@example.com", "domain.example", "bücher.example"])
        #expect(!list.contains(try EmailAddress.normalize(email)))
    }

    @Test(arguments: ["", "@", "*@", "example", "ada@", "*", "*@*@example.com", "a b@example.com", "exa mple.com"])
    func `what is neither an address nor a domain is refused`(text: String) {
        #expect(throws: InvalidField.self) { try AddressList([text]) }
    }

    /// Visitors write domains before anybody knows them: none may end the program.
    @Test func `no domain is too odd to be compared`() throws {
        var generator = SeededGenerator(seed: 3)
        let scalars = (0..<4000).compactMap { _ in Unicode.Scalar(UInt32.random(in: 0x80...0x2FFFF, using: &generator))
        }
        for scalar in scalars {
            guard let email = try? EmailAddress.normalize("a@xn--\(scalar)\u{301}.example") else { continue }
            let comparable = EmailAddress.comparable(email)
            #expect(comparable.utf8.allSatisfy { $0 < 0x80 }, "\(scalar.value)")
            #expect(EmailAddress.comparable(comparable) == comparable)
        }
    }

    @Test func `who is denied does not enter, even if allowed`() throws {
        var rules = GateRules(name: "a")
        #expect(rules.admits("ada@example.com"))
        rules.allow = try AddressList(["example.com"])
        #expect(rules.admits("ada@example.com"))
        #expect(!rules.admits("ada@example.org"))
        rules.deny = try AddressList(["ada@example.com"])
        #expect(!rules.admits("ada@example.com"))
        #expect(rules.admits("bea@example.com"))
    }

    @Test func `a folder fits what lies in it, whatever the capitals, and nothing that only begins like it`() {
        let rules = GateRules(name: "a", paths: ["/Clients/", "/offers/2026/"])
        #expect(rules.depth(over: Site.parts(of: "/clients")) == 1)
        #expect(rules.depth(over: Site.parts(of: "//./CLIENTS/deep/page.html")) == 1)
        #expect(rules.depth(over: Site.parts(of: "/offers/2026/x")) == 2)
        #expect(rules.depth(over: Site.parts(of: "/offers/")) == nil)
        #expect(rules.depth(over: Site.parts(of: "/clients2/")) == nil)
        #expect(rules.depth(over: []) == nil)
    }

    @Test func `a site is known by its host and port, whatever the capitals`() {
        var rules = GateRules(name: "a")
        rules.sites = ["https://wiki.example", "http://wiki.example:8080"]
        #expect(rules.site(ofHost: "WIKI.example") == "https://wiki.example")
        #expect(rules.site(ofHost: "wiki.example:8080") == "http://wiki.example:8080")
        for host in ["evil.example", "wiki.example:81", "wiki.example.evil.example", "", nil] {
            #expect(rules.site(ofHost: host) == nil)
        }
    }

    @Test func `the way to the standard gate is as it ever was, and that to another names it`() {
        #expect(GateRules.standard.page(for: "/confidential/a?b=c&d") == "/gate?next=/confidential/a%3Fb%3Dc%26d")
        #expect(GateRules(name: "a").page(for: "/") == "/gate?gate=a&next=/")
    }
}
