import DwellAPI
import Logging
import ServiceLifecycle

/// Work that comes round by itself.
struct BackgroundJob: Sendable {
    let name: String
    let every: Duration
    let run: @Sendable () async throws -> Void

    /// Every job there is.
    static func all(statistics: Statistics) -> [BackgroundJob] {
        [
            BackgroundJob(name: "statistics", every: .seconds(300)) { try await statistics.aggregate() }
        ]
    }
}

/// Runs the jobs until a graceful stop. A job that fails is tried again when it is due the next time.
package struct BackgroundJobs: Service {
    let jobs: [BackgroundJob]
    let logger: Logger

    package func run() async throws {
        await withDiscardingTaskGroup { group in
            for job in jobs { group.addTask { await repeatedly(job) } }
        }
    }

    private func repeatedly(_ job: BackgroundJob) async {
        // The group is told to stop through the sleep, which a graceful stop ends early.
        while await sleep(job.every) {
            do {
                try await job.run()
            } catch {
                logger.error("background job failed", metadata: ["job": "\(job.name)", "cause": "\(error)"])
            }
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
