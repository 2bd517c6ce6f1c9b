import ArgumentParser
import DwellAPI
import Foundation

/// What every import can be asked.
struct ImportOptions: ParsableArguments {
    @OptionGroup var store: StoreOptions

    @Flag(help: "Only say what would happen; nothing is stored.")
    var dryRun = false

    @Option(help: "A YAML file that says what old tables and columns are called.")
    var mapping: String?

    @Flag(help: "Print the mapping that holds without --mapping, and end.")
    var printMapping = false

    @Option(help: "Of the old times that name none, an IANA name. (default: UTC)")
    var oldTimeZone: String?

    /// The zone of times that name none.
    func zone() throws -> TimeZone {
        guard let oldTimeZone else { return .gmt }
        guard oldTimeZone.contains("/") || ["UTC", "GMT"].contains(oldTimeZone),
            let zone = TimeZone(identifier: oldTimeZone)
        else { throw InvalidField("--old-time-zone", expected: "an IANA time zone, such as Europe/Berlin") }
        return zone
    }

    /// Runs an import on the store, with a bar that shows how far it has come, and prints what became of it.
    func run(
        _ body: (any Database, LocalDays, _ progress: (Int, Int) -> Void) async throws -> ImportReport
    ) async throws {
        let bar = ProgressBar(of: "rows")
        defer { bar.end() }
        let report = try await withStore { database, days in
            try await body(database, days) { done, count in bar.show(done, of: count) }
        }
        bar.end()
        print(report.text, terminator: "")
    }

    private func withStore(
        _ body: (any Database, LocalDays) async throws -> ImportReport
    ) async throws -> ImportReport {
        guard dryRun, try await isNew() else {
            let open = try await store.open(orMake: true)
            let report = try await body(open.database, open.days)
            try open.database.close()
            return report
        }
        // A dry run does not even make the store: it looks at an empty one.
        let folder = FileManager.default.temporaryDirectory.appending(path: "dwell-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: "empty.sqlite").path(percentEncoded: false)
        let (database, _) = try await Store.open(.sqlite(path))
        let report = try await body(database, LocalDays(timeZone: .gmt))
        try database.close()
        return report
    }

    /// Whether there is no store yet.
    /// - Throws: ``InvalidField`` when there is one of an earlier version, which a dry run can't read as it is
    private func isNew() async throws -> Bool {
        let location = try StoreConfiguration.location(try store.settings())
        if let path = location.file, !FileManager.default.fileExists(atPath: path) { return true }
        let database = try Store.connect(location, as: Setting.databaseURL.title)
        let number = try await database.read { try SchemaQueries(connection: $0).migration() }
        try database.close()
        guard [0, Migrator.latest].contains(number) else {
            throw Setting.databaseURL.refusal(
                expected: """
                    at migration \(Migrator.latest) for a dry run; \(location.description) is at \(number): run \
                    `dwell migrate` first
                    """)
        }
        return number == 0
    }
}
