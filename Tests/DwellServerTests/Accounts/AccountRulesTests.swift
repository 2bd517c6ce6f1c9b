import Testing

@testable import DwellServer

@Suite struct AccountRulesTests {
    @Test(arguments: [
        ("Ada@Example.COM ", "ada@example.com"), ("a+b@c.d.example", "a+b@c.d.example"), ("ö@ü.example", "ö@ü.example"),
    ])
    func `an address is kept trimmed and in lower case`(text: String, normal: String) throws {
        #expect(try EmailAddress.normalize(text) == normal)
    }

    @Test(arguments: [
        "", " ", "ada", "@example.com", "ada@", "ada@example", "a b@example.com", "ada@exa mple.com", "a@b@example.com",
        "ada@-example.com", "ada@example..com", "ada@example.com\n.evil", "<ada@example.com>", "a,b@example.com",
    ])
    func `what can't be an address is refused by name`(text: String) {
        #expect(throws: InvalidField("email", expected: "an email address, such as ada@example.com")) {
            try EmailAddress.normalize(text)
        }
    }

    @Test func `an address of more than 254 bytes is refused`() {
        let long = String(repeating: "a", count: 60) + "@" + String(repeating: "b.", count: 100) + "example"
        #expect(throws: InvalidField.self) { try EmailAddress.normalize(long) }
    }

    @Test(arguments: [("Ada", "ADA"), ("ＡＤＡ", "ada"), ("Zoe\u{308}", "zo\u{EB}")])
    func `usernames that look the same are the same`(one: String, other: String) {
        #expect(AccountRules.key(of: one) == AccountRules.key(of: other))
    }
}
