import DwellServer
import Foundation
import NIOPosix
import Synchronization

/// What a heartbeat service does that keeps an end time: each beat is one `UPDATE` of one row, committed by itself,
/// over as many connections as Dwell has. It is what Dwell's ingest is measured against.
final class UpdateStore: Sendable {
    static let connections = 10
    static let rows: Int64 = 1000

    private let threads: NIOThreadPool
    private let idle: Mutex<[PostgresConnection]>

    init(url: String) throws {
        let pool = try (0..<Self.connections).map { _ in try PostgresConnection(url: url, prepares: true) }
        try pool[0].run("CREATE TABLE IF NOT EXISTS visit (id BIGINT PRIMARY KEY, ended_at BIGINT NOT NULL)")
        try pool[0].run(
            "INSERT INTO visit SELECT n, 0 FROM generate_series(1, \(Self.rows)) AS n ON CONFLICT DO NOTHING")
        idle = Mutex(pool)
        threads = NIOThreadPool(numberOfThreads: Self.connections)
        threads.start()
    }

    /// Moves the end of any row to now.
    func update() async throws {
        try await threads.runIfActive { [self] in
            guard let connection = idle.withLock({ $0.popLast() }) else { throw CancellationError() }
            defer { idle.withLock { $0.append(connection) } }
            let now = Int64(Date().timeIntervalSince1970 * 1000)
            _ = try connection.run(
                "UPDATE visit SET ended_at = $2 WHERE id = $1",
                [.integer(Int64.random(in: 1...Self.rows)), .integer(now)])
        }
    }
}
