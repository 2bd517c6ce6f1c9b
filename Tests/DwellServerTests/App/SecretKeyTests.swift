import Crypto
import Foundation
import Testing

@testable import DwellServer

@Suite struct SecretKeyTests {
    @Test func `a key file's text is the same key as a setting`() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).key")
            .path(percentEncoded: false)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let kept = try SecretKey.kept(at: path)
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let given = try #require(SecretKey(setting: "base64:" + text))
        #expect(given.derived(for: .login) == kept.derived(for: .login))
        #expect(SecretKey(setting: text)?.derived(for: .login) != kept.derived(for: .login))
    }

    @Test(arguments: ["", "short", "base64:", "base64:AAAA", "base64:not base64, however long it may be, at all"])
    func `what is no key is refused`(text: String) {
        #expect(SecretKey(setting: text) == nil)
    }
}
