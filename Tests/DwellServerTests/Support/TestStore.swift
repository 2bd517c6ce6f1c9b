import Foundation
import Logging
import Synchronization
import Testing

@testable import DwellAPI
@testable import DwellServer

/// A clock that stands still until a test moves it.
final class TestClock: Sendable {
    private let time: Mutex<Timestamp>

    init(_ time: Timestamp) {
        self.time = Mutex(time)
    }

    var now: Timestamp { time.withLock { $0 } }
    var clock: WallClock { WallClock { self.now } }

    func advance(by milliseconds: Int64) {
        time.withLock { $0 = $0 + milliseconds }
    }

    func set(_ time: Timestamp) {
        self.time.withLock { $0 = time }
    }
}

/// Which kind of database the tests run on: SQLite, or PostgreSQL where `DWELL_TEST_DATABASE_URL` names a server.
enum TestDatabase {
    static let url = ProcessInfo.processInfo.environment["DWELL_TEST_DATABASE_URL"]

    static var isPostgres: Bool { url != nil }
    static var isSQLite: Bool { url == nil }

    /// A database of a test's own on the server.
    fileprivate static func make(on url: String) throws -> String {
        let name = "test_\(UUID().uuidString.replacing("-", with: "").lowercased())"
        try PostgresConnection(url: "\(url)/postgres", prepares: false).run("CREATE DATABASE \(name)")
        return "\(url)/\(name)"
    }

    /// Gives up the database: each takes 8 MB.
    fileprivate static func drop(_ own: String) throws {
        guard let url, let name = own.split(separator: "/").last else { return }
        try PostgresConnection(url: "\(url)/postgres", prepares: false).run("DROP DATABASE \(name) WITH (FORCE)")
    }
}

/// A migrated database of a test's own, and what works on it, at 2026-03-02T12:00:00Z.
final class TestStore: Sendable {
    let database: any Database
    let clock = TestClock(Timestamp("2026-03-02T12:00:00Z") ?? Timestamp(milliseconds: 0))
    let settings: BeatSettings
    private let folder: URL?
    private let url: String?

    static let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// - Parameters:
    ///   - timeZone: Where days are cut
    ///   - interval: The heartbeat interval, in milliseconds
    ///   - viewingLimit: How many videos an account may play at once
    ///   - isSplit: Whether the tables that grow are split into hash partitions, as the documentation says; PostgreSQL
    init(timeZone: String = "UTC", interval: Int64 = 180_000, viewingLimit: Int? = nil, isSplit: Bool = false)
        async throws
    {
        if let server = TestDatabase.url {
            folder = nil
            let own = try TestDatabase.make(on: server)
            url = own
            database = try PostgresDatabase(url: try #require(PostgresURL("\(own)?pool_size=2")))
        } else {
            url = nil
            let folder = FileManager.default.temporaryDirectory.appending(path: "dwell-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            self.folder = folder
            database = try SQLiteDatabase(path: folder.appending(path: "test.sqlite").path(percentEncoded: false))
        }
        settings = BeatSettings(
            interval: interval, days: LocalDays(timeZone: TimeZone(identifier: timeZone) ?? .gmt),
            viewingLimit: viewingLimit)
        _ = try await Migrator.migrate(database, now: clock.now)
        if isSplit { try Self.splitTables(of: try #require(url)) }
    }

    private static func splitTables(of url: String) throws {
        let script = URL(filePath: #filePath).appending(path: "../../../../docs/partitions.sql").standardized
        try PostgresConnection(url: url, prepares: false).run(String(contentsOf: script, encoding: .utf8))
    }

    deinit {
        try? database.close()
        if let folder { try? FileManager.default.removeItem(at: folder) }
        if let url { try? TestDatabase.drop(url) }
    }

    var statistics: Statistics {
        Statistics(database: database, days: settings.days, logger: Self.silent)
    }

    var audience: Audience {
        Audience(database: database, logger: Self.silent)
    }

    var reports: Reports {
        Reports(database: database, days: settings.days, clock: clock.clock)
    }

    var gate: Gate { gate() }

    func gate(_ rules: GateRules = .standard, announcements: Announcements? = nil) -> Gate {
        Gate(
            rules: rules, database: database, announcements: announcements, days: settings.days, clock: clock.clock,
            secret: SecretKey(Data(repeating: 7, count: 32)))
    }

    /// Runs `body` with a writer that is stopped afterwards.
    func withWriter<Value: Sendable>(_ body: (BeatWriter) async throws -> Value) async throws -> Value {
        let writer = BeatWriter(database: database, settings: settings, logger: Self.silent)
        return try await run(writer) { try await body(writer) }
    }

    /// Runs `body` beside a writer that is stopped afterwards.
    func run<Value: Sendable>(_ writer: BeatWriter, _ body: () async throws -> Value) async throws -> Value {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await writer.run() }
            let value = try await body()
            group.cancelAll()
            return value
        }
    }

    /// An account named beryl (no random id contains that by chance), and a device that it is logged in on.
    func addAccount() async throws -> (viewer: Int64, device: UUID) {
        let (account, device, now) = (UUID(), UUID(), clock.now)
        try await database.write { connection in
            try connection.execute(
                "INSERT INTO viewer (id, kind, created_at) VALUES ($1, 'account', $2)", [50_000, now])
            try connection.execute(
                """
                INSERT INTO account (
                    id, viewer_id, username, username_key, first_name, last_name, email, password_hash, created_at,
                    updated_at, last_logged_in_at
                ) VALUES ($1, 50000, 'beryl', 'beryl', '', '', 'beryl@example.com', '', $2, $2, $2)
                """, [account, now])
            try connection.execute(
                "INSERT INTO device (id, account_id, name, os, last_logged_in_at) VALUES ($1, $2, '', '', $3)",
                [device, account, now])
        }
        return (50_000, device)
    }

    /// The sessions as the API lists them, the oldest first.
    func sessions() async throws -> [SessionRecord] {
        var filter = SessionFilter()
        filter.limit = SessionFilter.pageLimit
        return try await reports.sessions(filter).sessions.sorted { $0.id < $1.id }
    }

    /// The rows of a query, each as text.
    func rows(_ sql: String) async throws -> [String] {
        try await database.read { connection in
            try connection.rows(sql).map { row in "\(row.values)" }
        }
    }
}

/// Numbers that look random and are the same in every run, so that a failure can be seen again.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    /// SplitMix64.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

extension Timestamp {
    /// A time that a test spells out.
    init(at text: String) {
        guard let time = Timestamp(text) else { preconditionFailure("not a time: \(text)") }
        self = time
    }
}
