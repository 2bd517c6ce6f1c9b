import NIOPosix
import Testing

@testable import DwellServer

@Suite struct PasswordHasherTests {
    @Test(arguments: ["correct horse", String(repeating: "🔒", count: 1024), "a\u{0}b\u{0}cdefgh", "   spaces   "])
    func `a password belongs to its own hash and to no other`(password: String) async throws {
        try await withHasher { hasher in
            let hash = try await hasher.hash(password)
            #expect(hash.hasPrefix("$y$"))
            #expect(try await hasher.verify(password, against: hash))
            for other in [password + "x", String(password.dropLast())] {
                let isRight = try await hasher.verify(other, against: hash)
                #expect(!isRight)
            }
        }
    }

    @Test func `the same password gets another salt each time`() async throws {
        try await withHasher { hasher in
            let hashes = [try await hasher.hash("correct horse"), try await hasher.hash("correct horse")]
            #expect(hashes[0] != hashes[1])
        }
    }

    @Test func `nobody's password is right, and takes its time`() async throws {
        try await withHasher { hasher in
            let isRight = try await hasher.verify("a password that no account has", against: nil)
            #expect(!isRight)
        }
    }

    @Test func `composed and decomposed letters are the same password`() async throws {
        try await withHasher { hasher in
            let hash = try await hasher.hash("Zo\u{EB} was here")
            #expect(try await hasher.verify("Zoe\u{308} was here", against: hash))
        }
    }

    @Test(arguments: [
        ("pässwörd 🔒", "$2b$05$abcdefghijklmnopqrstuuoAEEviE.E8KLNbeThFuodSJO1dGRfoy"),
        // Of a long password bcrypt knows the first 72 bytes.
        (Self.seventyTwo + "more", "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui"),
        (
            Self.seventyTwo + String(repeating: "🔒", count: 500),
            "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui"
        ),
    ])
    func `an imported bcrypt hash belongs to the password as it was typed`(password: String, hash: String) async throws
    {
        try await withHasher { hasher in
            let isRight = try await hasher.verify(password, against: hash)
            #expect(isRight)
            for other in ["x" + password, String(password.prefix(7)), ""] {
                let isRight = try await hasher.verify(other, against: hash)
                #expect(!isRight)
            }
        }
    }

    @Test(arguments: [nil, 4, 6])
    func `what is wrong stays wrong, whatever else is computed`(dearest: Int?) async throws {
        try await withHasher { hasher in
            let hashes = [
                nil, try await hasher.hash("correct horse"),
                "$2b$05$abcdefghijklmnopqrstuuoAEEviE.E8KLNbeThFuodSJO1dGRfoy",
            ]
            for hash in hashes {
                let isRight = try await hasher.verify("wrong horse", against: hash, amongBcryptOf: dearest)
                #expect(!isRight)
            }
        }
    }

    @Test func `an imported hash is outdated when it knows all of the password`() {
        let bcrypt = "$2b$05$abcdefghijklmnopqrstuuoAEEviE.E8KLNbeThFuodSJO1dGRfoy"
        #expect(PasswordHasher.isOutdated(bcrypt, of: Self.seventyTwo))
        #expect(!PasswordHasher.isOutdated(bcrypt, of: Self.seventyTwo + "3"))
        #expect(!PasswordHasher.isOutdated(bcrypt, of: "short\0and more"))
        #expect(!PasswordHasher.isOutdated("$y$j9T$abc$def", of: "correct horse"))
    }

    private static let seventyTwo = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

    private func withHasher(_ body: (PasswordHasher) async throws -> Void) async throws {
        let pool = NIOThreadPool(numberOfThreads: 1)
        pool.start()
        try await body(try PasswordHasher(pool: pool))
        try await pool.shutdownGracefully()
    }
}
