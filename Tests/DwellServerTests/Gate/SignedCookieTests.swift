import Crypto
import Foundation
import Testing

@testable import DwellAPI
@testable import DwellServer

@Suite struct SignedCookieTests {
    private let cookie = SignedCookie(key: SymmetricKey(data: Data(repeating: 1, count: 32)))
    private let content = SignedCookie.Content(viewer: 12, session: 34, expiresAt: Timestamp(milliseconds: 1000))
    private let now = Timestamp(milliseconds: 999)

    @Test func `says what it was made of`() {
        #expect(cookie.content(of: cookie.value(of: content), now: now) == content)
    }

    @Test func `is worth nothing after its end`() {
        #expect(cookie.content(of: cookie.value(of: content), now: Timestamp(milliseconds: 1000)) == nil)
    }

    @Test func `is worth nothing with any one character changed`() {
        let value = cookie.value(of: content)
        for index in value.indices.dropLast() {
            let other: Character = value[index] == "A" ? "B" : "A"
            let forged = value.replacingCharacters(in: index...index, with: String(other))
            #expect(cookie.content(of: forged, now: now) == nil)
        }
    }

    @Test func `is worth nothing under another key`() {
        let secret = SecretKey(Data(repeating: 7, count: 32))
        let session = SignedCookie(key: secret.derived(for: .session))
        let access = SignedCookie(key: secret.derived(for: .access))
        #expect(access.content(of: session.value(of: content), now: now) == nil)
    }

    @Test(arguments: ["", "1", "4711", "null", String(repeating: "A", count: 54), String(repeating: "é", count: 27)])
    func `what is no cookie says nothing`(text: String) {
        #expect(cookie.content(of: text, now: now) == nil)
    }
}
