import CCrypt
import Crypto
import Foundation
package import NIOPosix

/// Hashes passwords with libxcrypt's yescrypt, on a few threads of its own: a flood of logins must not hold up beats.
package struct PasswordHasher: Sendable {
    /// How much of a password bcrypt knows, in bytes.
    private static let bcryptLength = 72

    private let pool: NIOThreadPool
    /// Verified when there is no such user, so that the answer takes as long as for a wrong password.
    private let dummy: String
    /// A password that very many accounts have, and the hash of it.
    private let frequent: (password: String, hash: String)?

    /// - Parameters:
    ///   - pool: Where the work is done; the caller starts and stops it
    ///   - password: One that so many accounts have that it is hashed only once: a demo's. They share a salt, and to find it
    ///     right takes no time: never for accounts of real people
    package init(pool: NIOThreadPool, ofMany password: String? = nil) throws {
        self.pool = pool
        dummy = try Self.hash("a password that no account has")
        frequent = try password.map { ($0, try Self.hash($0)) }
    }

    /// The hash of a new password, with a salt of its own.
    package func hash(_ password: String) async throws -> String {
        if let frequent, frequent.password == password { return frequent.hash }
        return try await pool.runIfActive {
            Self.stepBack()
            return try Self.hash(password)
        }
    }

    /// Whether a password belongs to a hash. To say no takes as long for every account, and for none: whose hash is an
    /// imported one must not show.
    /// - Parameters:
    ///   - password: What the person typed
    ///   - hash: What is stored; `nil` and nothing are always false
    ///   - dearest: The cost of the dearest bcrypt hash that any account has; `nil` when none has one
    package func verify(
        _ password: String, against hash: String?, amongBcryptOf dearest: Int? = nil
    ) async throws -> Bool {
        // Who is being erased has an empty one.
        let hash = hash.flatMap { $0.isEmpty ? nil : $0 }
        if let frequent, frequent.password == password, frequent.hash == hash { return true }
        return try await pool.runIfActive {
            Self.stepBack()
            if let hash, Self.isEqual(hash, try Self.compute(password, by: hash)) { return true }
            try doTheRest(of: password, after: hash.map(HashKind.init), amongBcryptOf: dearest)
            return false
        }
    }

    /// Whether another hash should take the place of the one that a password was found right by: it is imported, and knows
    /// all of the password. Of more than 72 bytes, or behind a zero, bcrypt can't tell whether the end was right too.
    package static func isOutdated(_ hash: String, of password: String) -> Bool {
        guard case .bcrypt = HashKind(hash) else { return false }
        return password.utf8.count <= bcryptLength && !password.utf8.contains(0)
    }

    /// The work that a check has not had yet: one yescrypt hash, and as much of bcrypt as its dearest hash takes.
    private func doTheRest(of password: String, after kind: HashKind?, amongBcryptOf dearest: Int?) throws {
        if kind != .yescrypt { _ = try Self.compute(password, by: dummy) }
        guard let dearest else { return }
        // Each cost is twice the work of the one before: 2^c + 2^c + 2^(c + 1) + … + 2^(dearest - 1) is 2^dearest.
        let costs = if case .bcrypt(let cost) = kind { Array(min(cost, dearest)..<dearest) } else { [dearest] }
        for cost in costs {
            _ = try Self.compute(password, by: "$2b$\(cost < 10 ? "0" : "")\(cost)$abcdefghijklmnopqrstuu")
        }
    }

    /// What made a hash.
    private enum HashKind: Equatable {
        case yescrypt
        /// 2 to the power of the cost is how often its key is set up.
        case bcrypt(cost: Int)

        init(_ hash: String) {
            self = hash.hasPrefix("$2") ? .bcrypt(cost: Int(hash.dropFirst(4).prefix(2)) ?? 0) : .yescrypt
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
        return try compute(password, by: setting)
    }

    private static func compute(_ password: String, by setting: String) throws -> String {
        try crypt(phrase(of: password, for: setting), setting: setting)
    }

    /// What crypt(3) is given, without its end. A bcrypt hash was imported: it is of the password as it was typed, of which
    /// bcrypt knows the first 72 bytes.
    private static func phrase(of password: String, for setting: String) -> [UInt8] {
        setting.hasPrefix("$2") ? Array(password.utf8.prefix(bcryptLength)) : Array(prepare(password).utf8)
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
