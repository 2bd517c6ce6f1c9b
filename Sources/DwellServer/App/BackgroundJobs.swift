import DwellAPI
import Logging
import ServiceLifecycle

/// Work that comes round by itself, on one node at a time.
struct BackgroundJob: Sendable {
    let name: String
    let every: Duration
    /// Whether there is anything to do. A job that comes round often looks first, so that where nothing happens nothing is
    /// written.
    var isNeeded: @Sendable () async throws -> Bool = { true }
    let run: @Sendable () async throws -> Void

    /// Every job there is.
    static func all(
        statistics: Statistics, audience: Audience, retention: Retention?, announcements: Announcements,
        devices: Devices, viewings: Viewings?, codes: MailedCodes, audit: AuditLog, erasures: Erasures
    ) -> [BackgroundJob] {
        [
            BackgroundJob(name: "statistics", every: .seconds(300)) { try await statistics.aggregate() },
            BackgroundJob(name: "audience", every: .milliseconds(500), isNeeded: { try await audience.isWaiting() }) {
                try await audience.fold()
            },
            BackgroundJob(name: "erasures", every: .seconds(2), isNeeded: { try await erasures.isWaiting() }) {
                try await erasures.complete()
            },
            BackgroundJob(name: "old announcements", every: .seconds(3600)) { try await announcements.removeOld() },
            BackgroundJob(name: "ended devices", every: .seconds(300)) { try await devices.removeEnded() },
            BackgroundJob(name: "old codes", every: .seconds(3600)) { try await codes.removeOld() },
            BackgroundJob(name: "old audit lines", every: .seconds(3600)) { try await audit.removeOld() },
        ]
            + (retention.map { retention in
                [BackgroundJob(name: "old segments", every: .seconds(60)) { try await retention.run() }]
            } ?? [])
            + (viewings.map { viewings in
                [BackgroundJob(name: "ended viewings", every: .seconds(3600)) { try await viewings.removeEnded() }]
            } ?? [])
    }
}

/// Runs the jobs until a graceful stop. Each is run by the node that looks first when it is due, so that it moves to
/// another when that one is gone. A job that fails is tried again when it is due the next time.
package struct BackgroundJobs: Service {
    /// How many times in its period a node looks whether a job is due.
    private static let looks = 5

    let jobs: [BackgroundJob]
    let database: any Database
    let clock: WallClock
    let logger: Logger

    package func run() async throws {
        await withDiscardingTaskGroup { group in
            for job in jobs { group.addTask { await repeatedly(job) } }
        }
    }

    private func repeatedly(_ job: BackgroundJob) async {
        // The group is told to stop through the sleep, which a graceful stop ends early.
        while await sleep(job.every / Self.looks) {
            do {
                if try await job.isNeeded(), try await isDue(job) { try await job.run() }
            } catch {
                logger.error("background job failed", metadata: ["job": "\(job.name)", "cause": "\(error)"])
            }
        }
    }

    /// Whether it is this node's turn; then it is nobody's until the next time.
    func isDue(_ job: BackgroundJob) async throws -> Bool {
        let now = clock.now()
        return try await database.write { connection in
            try connection.execute(
                "INSERT INTO job (name, due_at) VALUES ($1, 0) ON CONFLICT (name) DO NOTHING", [job.name])
            return try connection.execute(
                "UPDATE job SET due_at = $2 WHERE name = $1 AND due_at <= $3",
                [job.name, now + Int64(job.every / .milliseconds(1)), now]) == 1
        }
    }

    /// - Returns: Whether the time went by without a stop
    private func sleep(_ time: Duration) async -> Bool {
        do {
            try await cancelWhenGracefulShutdown { try await Task.sleep(for: time) }
            return !Task.isCancelled
        } catch {
            return false
        }
    }
}
