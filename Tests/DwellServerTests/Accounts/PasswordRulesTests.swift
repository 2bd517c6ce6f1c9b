import Foundation
import Testing
import WebAssets

@testable import DwellServer

@Suite struct PasswordRulesTests {
    @Test func `each of the commonest is refused, in any letters`() {
        let common = WebAsset.commonPasswords.text.split(separator: "\n").map(String.init)
        #expect(common.count == 3000)
        for password in common {
            for form in [password, password.uppercased(), password.capitalized] {
                #expect(throws: InvalidField("new", expected: "none of the 3,000 that are guessed first")) {
                    try PasswordRules.check(form, as: "new")
                }
            }
        }
    }

    @Test(arguments: [8, 9, 128, 1024])
    func `any script will do, from 8 to 1,024 characters`(length: Int) throws {
        for letter in ["z", "ж", "🎈", "e\u{301}"] {
            try PasswordRules.check(String(repeating: letter, count: length), as: "password")
        }
    }

    @Test(arguments: [0, 7, 1025])
    func `other lengths are refused`(length: Int) {
        #expect(throws: InvalidField("password", expected: "8 to 1024 characters")) {
            try PasswordRules.check(String(repeating: "🎈", count: length), as: "password")
        }
    }
}
