import Crypto
import Foundation
import Testing

@testable import DwellAPI
@testable import DwellServer

@Suite struct SignedTokenTests {
    private let token = SignedToken(keys: [SymmetricKey(data: Data(repeating: 1, count: 32))])
    private let content = SignedToken.Content(viewer: 12, entry: 34, expiresAt: Timestamp(milliseconds: 1000))
    private let now = Timestamp(milliseconds: 999)

    @Test func `says what it was made of`() {
        #expect(token.content(of: token.value(of: content), now: now) == content)
    }

    @Test func `is worth nothing after its end`() {
        #expect(token.content(of: token.value(of: content), now: Timestamp(milliseconds: 1000)) == nil)
    }

    @Test func `is worth nothing with any one character changed`() {
        let value = token.value(of: content)
        for index in value.indices {
            let other: Character = value[index] == "A" ? "B" : "A"
            let forged = value.replacingCharacters(in: index...index, with: String(other))
            #expect(token.content(of: forged, now: now) == nil)
        }
    }

    @Test func `is worth nothing under another key`() {
        let secret = SecretKey(Data(repeating: 7, count: 32))
        let session = SignedToken(keys: secret.derived(for: .session))
        let access = SignedToken(keys: secret.derived(for: .access))
        #expect(access.content(of: session.value(of: content), now: now) == nil)
    }

    @Test func `is good under the key before, and makes the next with the new one`() {
        let (old, new, newest) = (Self.key(1), Self.key(2), Self.key(3))
        let value = SignedToken(keys: [old]).value(of: content)
        #expect(SignedToken(keys: [new, old]).content(of: value, now: now) == content)
        #expect(SignedToken(keys: [newest, new]).content(of: value, now: now) == nil)
        let next = SignedToken(keys: [new, old]).value(of: content)
        #expect(SignedToken(keys: [new]).content(of: next, now: now) == content)
    }

    private static func key(_ byte: UInt8) -> SymmetricKey {
        SymmetricKey(data: Data(repeating: byte, count: 32))
    }

    @Test(arguments: ["", "1", "4711", "null", String(repeating: "A", count: 54), String(repeating: "é", count: 27)])
    func `what is no token says nothing`(text: String) {
        #expect(token.content(of: text, now: now) == nil)
    }
}
