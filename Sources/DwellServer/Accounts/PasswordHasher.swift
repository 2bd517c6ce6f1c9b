import CCrypt
import Crypto
import Foundation
package import NIOPosix

/// Hashes passwords with libxcrypt's yescrypt, on a few threads of its own: a flood of logins must not hold up beats.
package struct PasswordHasher: Sendable {
    private let pool: NIOThreadPool
    /// Verified when there is no such user, so that the answer takes as long as for a wrong password.
    private let dummy: String

    /// - Parameter pool: Where the work is done; the caller starts and stops it
    package init(pool: NIOThreadPool) throws {
        self.pool = pool
        dummy = try Self.hash("a password that no account has")
    }

    /// The hash of a new password, with a salt of its own.
    package func hash(_ password: String) async throws -> String {
        try await pool.runIfActive {
            Self.stepBack()
            return try Self.hash(password)
        }
    }

    /// Whether a password belongs to a hash.
    /// - Parameters:
    ///   - password: What the person typed
    ///   - hash: What is stored; `nil` takes the same time and is always false
    package func verify(_ password: String, against hash: String?) async throws -> Bool {
        try await pool.runIfActive { [dummy] in
            Self.stepBack()
            let setting = hash ?? dummy
            let computed = try Self.crypt(Self.phrase(of: password, for: setting), setting: setting)
            return hash.map { Self.isEqual($0, computed) } ?? false
        }
    }

    /// Lets everybody else go first on the processors. On Linux that concerns the thread alone, and lasts; elsewhere
    /// it would concern the process.
    private static func stepBack() {
        #if os(Linux)
            _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10)
        #endif
    }

    private static func hash(_ password: String) throws -> String {
        let setting = try withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(CRYPT_GENSALT_OUTPUT_SIZE)) {
            space in
            guard let salt = crypt_gensalt_rn("$y$", 0, nil, 0, space.baseAddress, CRYPT_GENSALT_OUTPUT_SIZE) else {
                throw PasswordError.failed(errno)
            }
            return String(cString: salt)
        }
        return try crypt(phrase(of: password, for: setting), setting: setting)
    }

    /// What crypt(3) is given, without its end. A bcrypt hash was imported: it is of the password as it was typed, of which
    /// bcrypt knows the first 72 bytes.
    private static func phrase(of password: String, for setting: String) -> [UInt8] {
        setting.hasPrefix("$2") ? Array(password.utf8.prefix(72)) : Array(prepare(password).utf8)
    }

    /// crypt(3) takes 511 bytes and stops at a zero. A digest first takes any length and any bytes; the same text
    /// typed on another keyboard (composed or not) is the same password.
    private static func prepare(_ password: String) -> String {
        let digest = SHA512.hash(data: Data(password.precomposedStringWithCanonicalMapping.utf8))
        return Data(digest).base64EncodedString()
    }

    private static func crypt(_ phrase: [UInt8], setting: String) throws -> String {
        let size = MemoryLayout<crypt_data>.size
        let data = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: MemoryLayout<crypt_data>.alignment)
        defer { data.deallocate() }
        data.initializeMemory(as: UInt8.self, repeating: 0, count: size)
        let text = phrase.map { CChar(bitPattern: $0) } + [0]
        guard let result = crypt_rn(text, setting, data, Int32(size)) else { throw PasswordError.failed(errno) }
        return String(cString: result)
    }

    /// Compares in a time that does not tell where the first difference is.
    private static func isEqual(_ left: String, _ right: String) -> Bool {
        let left = Array(left.utf8)
        let right = Array(right.utf8)
        guard left.count == right.count else { return false }
        return zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}

/// Why a password could not be hashed: crypt(3)'s `errno`.
package enum PasswordError: Error {
    case failed(Int32)
}
