import ArgumentParser
import Foundation

/// `dwell backup`
struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Copy the database into a file, while the server runs.",
        discussion: """
            The file holds everything of one moment, and is checked before it gets its name. What is not in it: the key \
            file beside the database, or DWELL_SECRET_KEY. Keep that in another place; without it everybody must log \
            in again. PostgreSQL has pg_dump for this.
            """)

    @OptionGroup var store: StoreOptions

    @Argument(help: "The file, which must not be there yet.")
    var file: String

    func run() async throws {
        let location = try StoreConfiguration.location(try store.settings())
        guard let path = location.file else {
            throw Setting.databaseURL.refusal(
                expected: """
                    an SQLite file. PostgreSQL has its own: pg_dump --format=custom --no-owner --file=\(file) \
                    --dbname="$DWELL_DATABASE_URL"
                    """)
        }
        guard FileManager.default.fileExists(atPath: path) else {
            throw Setting.databaseURL.refusal(expected: "a database that `dwell serve` made; there is no \(path)")
        }
        guard !SQLiteBackup.exists(file) else {
            throw InvalidField("the file", expected: "one that is not there yet; there is a \(file)")
        }
        let held = try SQLiteBackup.copyShown(from: path, to: file)
        print("\(file) holds everything that \(path) held: \(held.summary). It was checked.")
        let key = path + SecretFile.ending
        if FileManager.default.fileExists(atPath: key) {
            print("The secret is not in it: keep \(key) too, in another place.")
        }
    }
}

/// `dwell restore`
struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Put a backup in the place of a database that is gone.",
        discussion: """
            Nothing is overwritten: where there is a database, stop the server and move its files away first. What \
            happened after the backup is forgotten, also that somebody was logged out. PostgreSQL has pg_restore for \
            this.
            """)

    @OptionGroup var store: StoreOptions

    @Argument(help: "What `dwell backup` made.")
    var file: String

    func run() async throws {
        let location = try StoreConfiguration.location(try store.settings())
        guard let path = location.file else {
            throw Setting.databaseURL.refusal(
                expected: """
                    an SQLite file. Into an empty database of PostgreSQL: pg_restore --no-owner --exit-on-error \
                    --dbname="$DWELL_DATABASE_URL" \(file), or, what `dwell backup` made: dwell copy \
                    sqlite:\(file) "$DWELL_DATABASE_URL"
                    """)
        }
        guard FileManager.default.fileExists(atPath: file) else {
            throw InvalidField("the file", expected: "what `dwell backup` made; there is no \(file)")
        }
        guard !SQLiteBackup.exists(path) else {
            throw Setting.databaseURL.refusal(
                expected: """
                    a file that is not there; \(path) is, or \(path)-wal, \(path)-shm: stop the server and move them \
                    away first
                    """)
        }
        let held = try SQLiteBackup.copyShown(from: file, to: path)
        print("\(path) holds everything that \(file) holds: \(held.summary). It was checked.")
        let key = path + SecretFile.ending
        if !FileManager.default.fileExists(atPath: key) {
            print("There is no \(key): put the old one there before the server starts, or everybody must log in again.")
        }
    }
}

extension SQLiteBackup {
    /// Copies with a bar.
    /// - Throws: ``InvalidField``
    fileprivate static func copyShown(from source: String, to target: String) throws -> Contents {
        let bar = ProgressBar(of: "pages")
        defer { bar.end() }
        do {
            let held = try copy(from: source, to: target) { bar.show($0, of: $1) }
            bar.end()
            return held
        } catch let error as DatabaseError {
            throw InvalidField("the copy", expected: "possible; \(source) was not copied to \(target): \(error)")
        }
    }
}

extension SQLiteBackup.Contents {
    /// For people.
    fileprivate var summary: String {
        ["viewer", "account", "session", "segment"].map { "\(self[$0] ?? 0) \($0)s" }.joined(separator: ", ")
    }
}
