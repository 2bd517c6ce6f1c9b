import Dispatch
import Foundation
import GRDBSQLite
import Synchronization

/// Brings SQLite's log to the disk, once for all commits that wait for it.
///
/// SQLite would do it inside each commit, where it keeps the next transaction waiting; here the next one runs meanwhile.
final class LogSync: Sendable {
    private struct State {
        var waiting: [CheckedContinuation<Void, any Error>] = []
        var isAtWork = false
        /// After a failure nobody knows which pages are on the disk, and asking again would only say that nothing is
        /// left to do.
        var isDoubtful = false
    }

    private let file: Int32
    private let queue = DispatchQueue(label: "dwell.sync")
    private let state = Mutex(State())

    /// - Parameter connection: One that has read from the database already: the log is made by then
    init(_ connection: OpaquePointer?) throws(DatabaseError) {
        let name = sqlite3_filename_wal(sqlite3_db_filename(connection, "main"))
        file = name.map { open($0, O_RDONLY | O_CLOEXEC) } ?? -1
        if file < 0 { throw .unavailable("the database's log can't be opened: \(Self.cause)") }
    }

    /// Whether the log has to be carried into the file before anything is committed again.
    var isDoubtful: Bool { state.withLock { $0.isDoubtful } }

    /// Everything that was written to the log is in the file, and on the disk.
    func trust() {
        state.withLock { $0.isDoubtful = false }
    }

    /// Waits until what is in the log now is on the disk.
    func sync() async throws {
        try await withCheckedThrowingContinuation { continuation in
            let isFirst = state.withLock { state in
                defer { state.isAtWork = true }
                state.waiting.append(continuation)
                return !state.isAtWork
            }
            if isFirst { queue.async { self.work() } }
        }
    }

    /// Lets go of the file; nobody waits any more.
    func close() {
        queue.sync { _ = Foundation.close(file) }
    }

    private func work() {
        while let waiting = takeWaiting() {
            let outcome = Result { try bringToDisk() }
            for continuation in waiting { continuation.resume(with: outcome) }
        }
    }

    private func takeWaiting() -> [CheckedContinuation<Void, any Error>]? {
        state.withLock { state in
            defer { state.waiting = [] }
            state.isAtWork = !state.waiting.isEmpty
            return state.isAtWork ? state.waiting : nil
        }
    }

    private func bringToDisk() throws(DatabaseError) {
        if isDoubtful { throw .unavailable("the database's log did not come to the disk before") }
        #if canImport(Darwin)
            let code = fcntl(file, F_FULLFSYNC)
        #else
            let code = fdatasync(file)
        #endif
        if code != 0 {
            let cause = Self.cause
            state.withLock { $0.isDoubtful = true }
            throw .unavailable("the database's log does not come to the disk: \(cause)")
        }
    }

    private static var cause: String { String(cString: strerror(errno)) }
}
