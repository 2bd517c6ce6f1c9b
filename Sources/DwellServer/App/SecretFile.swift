import Foundation

/// The file beside an embedded database that keeps its secret: in base64, and on a second line the one that it
/// replaced.
package struct SecretFile: Sendable {
    /// What its name has behind the database's.
    package static let ending = ".key"

    /// Which only its owner may read.
    let path: String

    package init(path: String) {
        self.path = path
    }

    /// The secret, made when there is none.
    package func secret() throws -> SecretKey {
        if let kept = try read() { return kept }
        let fresh = SecretKey(SecretKey.random())
        try write(fresh, to: path)
        return fresh
    }

    /// Puts a new secret before the one that there is, and forgets the one before that.
    /// - Returns: Whether there was a file
    func rotate() throws -> Bool {
        guard let kept = try read() else { return false }
        // Whole or not at all, whatever happens meanwhile: without its secrets everybody would be logged out.
        let draft = path + ".new"
        unlink(draft)
        try write(kept.rotated(), to: draft)
        guard rename(draft, path) == 0 else { throw refusal(errno) }
        return true
    }

    private func read() throws -> SecretKey? {
        guard let kept = FileManager.default.contents(atPath: path) else { return nil }
        guard let secret = SecretKey(file: String(decoding: kept, as: UTF8.self)) else {
            throw InvalidField(
                "DWELL_SECRET_KEY",
                expected: "set, or \(path) be the file that Dwell wrote there: 32 bytes in base64 on one or two lines")
        }
        return secret
    }

    private func write(_ secret: SecretKey, to path: String) throws {
        // Made with O_EXCL and its final rights: no moment in which others can read it, no other writer's key lost.
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL, 0o600)
        guard file >= 0 else { throw refusal(errno) }
        let handle = FileHandle(fileDescriptor: file, closeOnDealloc: true)
        try handle.write(contentsOf: Data((secret.coded(separator: "\n") + "\n").utf8))
        try handle.synchronize()
    }

    private func refusal(_ code: Int32) -> InvalidField {
        Setting.databaseURL.refusal(
            expected: "where Dwell may write: \(path) can't be made, \(String(cString: strerror(code)))")
    }
}
