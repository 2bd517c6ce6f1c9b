import Foundation
import GRDB

/// Carries an SQLite database into a file of its own, whole and of one moment, while others read it and write to it.
struct SQLiteBackup {
    /// How much is copied between two looks at the bar.
    private static let pages: CInt = 2000

    /// Rows of each table.
    typealias Contents = [String: Int]

    /// Copies a database, and looks whether the copy is sound and holds the same.
    /// - Parameters:
    ///   - source: The database's file, which is only read
    ///   - target: Where the copy goes; there must be nothing
    ///   - progress: Called with how many pages are done, and how many there are
    /// - Returns: What both hold
    /// - Throws: ``DatabaseError``; then there is no copy
    static func copy(
        from source: String, to target: String, progress: @escaping (Int, Int) -> Void
    ) throws -> Contents {
        // Under its own name it is only when it is whole.
        let draft = target + ".part"
        guard !exists(draft) else {
            throw DatabaseError.unavailable(
                "there is a \(draft): another copy is being made, or was interrupted; remove it")
        }
        defer { for ending in ["", "-wal", "-shm", "-journal"] { unlink(draft + ending) } }
        do {
            let held = try write(source, to: draft, progress)
            guard held["schema_migration"] ?? 0 > 0 else { throw DatabaseError.corrupt("it is none of Dwell's") }
            let found = try check(draft)
            guard found == held else { throw DatabaseError.corrupt("the copy holds \(found), the original \(held)") }
            try keep(draft, as: target)
            return held
        } catch let error as GRDB.DatabaseError {
            throw DatabaseError(error)
        }
    }

    /// Whether a file is there, or what SQLite keeps beside one.
    static func exists(_ path: String) -> Bool {
        ["", "-wal", "-shm", "-journal"].contains { FileManager.default.fileExists(atPath: path + $0) }
    }

    private static func write(
        _ source: String, to target: String, _ progress: @escaping (Int, Int) -> Void
    ) throws -> Contents {
        var reading = GRDB.Configuration()
        reading.readonly = true
        reading.busyMode = .timeout(5)
        let original = try DatabaseQueue(path: source, configuration: reading)
        // Its owner's alone, before anything is in it.
        let file = open(target, O_WRONLY | O_CREAT | O_EXCL, 0o600)
        guard file >= 0 else {
            throw DatabaseError.unavailable("\(target) can't be made: \(String(cString: strerror(errno)))")
        }
        _ = close(file)
        let copy = try DatabaseQueue(path: target)
        // One transaction around all of it: without it every commit of a server would make the copy begin anew.
        let held = try original.read { original in
            let held = try contents(original)
            try copy.writeWithoutTransaction { copy in
                try original.backup(to: copy, pagesPerStep: pages) {
                    progress($0.completedPageCount, $0.totalPageCount)
                }
                // One file, with nothing beside it.
                try copy.execute(sql: "PRAGMA journal_mode = DELETE")
            }
            return held
        }
        try copy.close()
        try original.close()
        return held
    }

    private static func check(_ path: String) throws -> Contents {
        var reading = GRDB.Configuration()
        reading.readonly = true
        let copy = try DatabaseQueue(path: path, configuration: reading)
        let found = try copy.read { copy in
            let said = try String.fetchAll(copy, sql: "PRAGMA integrity_check")
            guard said == ["ok"] else { throw DatabaseError.corrupt(said.prefix(3).joined(separator: "; ")) }
            return try contents(copy)
        }
        try copy.close()
        return found
    }

    private static func contents(_ database: GRDB.Database) throws -> Contents {
        let tables = try String.fetchAll(
            database,
            sql: "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'")
        return try Dictionary(
            uniqueKeysWithValues: tables.map { table in
                (table, try Int.fetchOne(database, sql: "SELECT count(*) FROM \(table)") ?? 0)
            })
    }

    /// Gives a file its name once it is on the disk; never in another's place.
    private static func keep(_ draft: String, as target: String) throws {
        let folder = URL(filePath: target).deletingLastPathComponent().path(percentEncoded: false)
        try sync(draft)
        guard link(draft, target) == 0 else {
            throw DatabaseError.unavailable("\(target) can't be made: \(String(cString: strerror(errno)))")
        }
        try sync(folder)
    }

    private static func sync(_ path: String) throws {
        let file = open(path, O_RDONLY)
        defer { if file >= 0 { _ = close(file) } }
        guard file >= 0, fsync(file) == 0 else {
            throw DatabaseError.unavailable("\(path) can't be brought to the disk: \(String(cString: strerror(errno)))")
        }
    }
}
