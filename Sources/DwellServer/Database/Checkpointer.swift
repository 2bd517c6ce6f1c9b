import Dispatch
import GRDBSQLite
import Synchronization

/// Carries the pages of SQLite's log to their places in the file, beside the writer: in its way they would keep a commit
/// waiting for the disk again and again.
///
/// Unchecked, and safe: the connection is used on one queue.
final class Checkpointer: @unchecked Sendable {
    /// From so many pages in the log on, they are carried.
    private static let pages: Int32 = 1000
    /// From so many pages on the writer carries what is left, so that it can begin the log anew: it never can while
    /// others do and it goes on writing.
    private static let limit: Int32 = 16_384

    private let connection: OpaquePointer
    private let queue = DispatchQueue(label: "dwell.checkpoint")
    private let isAtWork = Mutex(false)

    /// - Parameter path: Where the file is
    init(path: String) throws {
        var opened: OpaquePointer?
        let code = sqlite3_open_v2(path, &opened, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nil)
        guard code == SQLITE_OK, let opened else {
            sqlite3_close_v2(opened)
            throw DatabaseError.unavailable(String(cString: sqlite3_errstr(code)))
        }
        connection = opened
    }

    /// Looks at the log after every commit of the writer, in place of SQLite's own look.
    func follow(_ writer: OpaquePointer?) {
        sqlite3_wal_hook(
            writer,
            { context, writer, name, pages in
                guard let context else { return SQLITE_OK }
                let checkpointer = Unmanaged<Checkpointer>.fromOpaque(context).takeUnretainedValue()
                if pages >= Checkpointer.limit {
                    // The commit has been made, whatever comes of this.
                    sqlite3_wal_checkpoint_v2(writer, name, SQLITE_CHECKPOINT_PASSIVE, nil, nil)
                } else if pages >= Checkpointer.pages {
                    checkpointer.carry()
                }
                return SQLITE_OK
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    /// Ends it, before the writer's connection is closed.
    func close(_ writer: OpaquePointer?) {
        sqlite3_wal_hook(writer, nil, nil)
        queue.sync { _ = sqlite3_close_v2(connection) }
    }

    private func carry() {
        let isFirst = isAtWork.withLock { isAtWork in
            defer { isAtWork = true }
            return !isAtWork
        }
        guard isFirst else { return }
        queue.async { [self] in
            // What a full disk or a reader keeps from its place stays in the log, and the next commit asks again.
            sqlite3_wal_checkpoint_v2(connection, nil, SQLITE_CHECKPOINT_PASSIVE, nil, nil)
            isAtWork.withLock { $0 = false }
        }
    }
}
