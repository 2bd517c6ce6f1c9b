import DwellServer
import Foundation
import Hummingbird
import NIOPosix
import Synchronization

/// What a heartbeat service does that keeps an end time: each request is one `UPDATE` of one row, committed by itself,
/// over as many connections as Dwell has. It is what Dwell's ingest is measured against.
///
///     one-update postgres://dwell@127.0.0.1:5432/bench 8090
@main
struct OneUpdate {
    private static let connections = 10
    private static let rows: Int64 = 1000

    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 3, let port = Int(arguments[2]) else {
            FileHandle.standardError.write(Data("one-update URL PORT\n".utf8))
            exit(64)
        }
        let store = try UpdateStore(url: arguments[1], connections: connections, rows: rows)
        let router = Router()
        router.post("/api/session-heartbeat") { _, _ in
            try await store.update(row: Int64.random(in: 1...rows))
            return "{\"success\":true}"
        }
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: port)))
        try await application.runService()
    }
}

/// A table with an end time, and a pool of connections to it.
private final class UpdateStore: Sendable {
    private let threads: NIOThreadPool
    private let idle: Mutex<[PostgresConnection]>

    init(url: String, connections: Int, rows: Int64) throws {
        let pool = try (0..<connections).map { _ in try PostgresConnection(url: url, prepares: true) }
        try pool[0].run("CREATE TABLE IF NOT EXISTS visit (id BIGINT PRIMARY KEY, ended_at BIGINT NOT NULL)")
        try pool[0].run("INSERT INTO visit SELECT n, 0 FROM generate_series(1, \(rows)) AS n ON CONFLICT DO NOTHING")
        idle = Mutex(pool)
        threads = NIOThreadPool(numberOfThreads: connections)
        threads.start()
    }

    func update(row: Int64) async throws {
        try await threads.runIfActive { [self] in
            guard let connection = idle.withLock({ $0.popLast() }) else { throw CancellationError() }
            defer { idle.withLock { $0.append(connection) } }
            let now = Int64(Date().timeIntervalSince1970 * 1000)
            _ = try connection.run(
                "UPDATE visit SET ended_at = $2 WHERE id = $1", [.integer(row), .integer(now)])
        }
    }
}
