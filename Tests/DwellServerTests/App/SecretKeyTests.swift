import Crypto
import Foundation
import Testing

@testable import DwellServer

@Suite struct SecretKeyTests {
    @Test func `a key file's text is the same key as a setting`() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).key")
            .path(percentEncoded: false)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let kept = try SecretFile(path: path).secret()
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let given = try #require(SecretKey(setting: "base64:" + text))
        #expect(given.derived(for: .login) == kept.derived(for: .login))
        #expect(SecretKey(setting: text)?.derived(for: .login) != kept.derived(for: .login))
    }

    @Test func `a file keeps the secret before, and forgets the one before that`() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).key")
            .path(percentEncoded: false)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let file = SecretFile(path: path)
        #expect(try !file.rotate())
        var keys = [try file.secret().derived(for: .login)]
        for _ in 0..<2 {
            #expect(try file.rotate())
            keys.append(try file.secret().derived(for: .login))
        }
        #expect(keys.map(\.count) == [1, 2, 2])
        #expect(keys[1][1] == keys[0][0] && keys[2][1] == keys[1][0])
        let text = try String(contentsOfFile: path, encoding: .utf8)
        #expect(SecretKey(setting: "base64:" + text)?.derived(for: .login) == keys[2])
        #expect(SecretKey(setting: try file.secret().setting)?.derived(for: .login) == keys[2])
        #expect(!keys[2].contains(keys[0][0]))
    }

    @Test(arguments: ["", "short", "base64:", "base64:AAAA", "base64:not base64, however long it may be, at all"])
    func `what is no key is refused`(text: String) {
        #expect(SecretKey(setting: text) == nil)
    }
}
