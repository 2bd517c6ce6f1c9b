import ArgumentParser
import DwellAPI
import DwellServer
import Foundation
import Logging

/// `dwell-benchmark retention URL`: beats at a constant rate, first alone and then while segments are folded that are older
/// than 60 days. Prints JSON, times in milliseconds; a beat's counts from when it was due.
struct FoldAway: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "retention")

    @OptionGroup var store: StoreArgument

    @Option(help: "Beats a second.")
    var rate = 2000
    @Option(help: "How long each of the two takes.")
    var seconds = 10

    private struct Latency: Encodable {
        let p99: Double
        let max: Double
    }

    private struct Figures: Encodable {
        let rate: Int
        let alone: Latency
        let folding: Latency
        /// Segments a second.
        let folded: Double
        /// How long the store was written to at once, at the longest.
        let longestStep: Double
    }

    func run() async throws {
        let database = try await store.open()
        let settings = BeatSettings(interval: 180_000, days: LocalDays(timeZone: .gmt))
        let writer = BeatWriter(database: database, settings: settings, logger: Self.logger)
        let writing = Task { try await writer.run() }
        let live = try await LiveSessions.fill(10_000, database)
        let retention = retention(database, settings)
        _ = try await latency(of: live, writer, for: .seconds(2))
        let alone = try await latency(of: live, writer, for: .seconds(seconds))
        async let folding = latency(of: live, writer, for: .seconds(seconds))
        let outcome = try await retention.run(for: .seconds(seconds))
        guard outcome.segments > 0 else { throw ValidationError("there is nothing to fold") }
        let figures = Figures(
            rate: rate, alone: alone, folding: try await folding,
            folded: Double(outcome.segments) / Double(seconds),
            longestStep: outcome.longestStep / .milliseconds(1))
        print(String(decoding: try JSONEncoder().encode(figures), as: UTF8.self))
        writing.cancel()
        try await writing.value
        try database.close()
    }

    private static let logger = Logger(label: "benchmark") { _ in SwiftLogNoOpLogHandler() }

    private func retention(_ database: any Database, _ settings: BeatSettings) -> Retention {
        Retention(
            database: database, statistics: Statistics(database: database, days: settings.days, logger: Self.logger),
            audience: Audience(database: database, logger: Self.logger), days: settings.days, keptDays: 60,
            clock: .system, logger: Self.logger)
    }

    /// Stores beats at the rate, however long each takes.
    private func latency(
        of live: [(viewer: Int64, number: Int64)], _ writer: BeatWriter, for time: Duration
    ) async throws -> Latency {
        let began = ContinuousClock.now
        let count = Int(time / .seconds(1)) * rate
        let times = try await withThrowingTaskGroup(of: Double.self) { group in
            for number in 0..<count {
                let due = began + .seconds(1) * number / rate
                if due > .now { try await Task.sleep(until: due, clock: .continuous) }
                let session = live[number % live.count]
                group.addTask {
                    _ = try await writer.store(Self.beat(of: session))
                    return due.duration(to: .now) / .milliseconds(1)
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }.sorted()
        }
        return Latency(p99: times[times.count * 99 / 100], max: times[times.count - 1])
    }

    private static func beat(of session: (viewer: Int64, number: Int64)) -> Beat {
        let now = WallClock.system.now()
        let claim = SegmentClaim(
            tab: LiveSessions.tab, n: 0, from: (now - LiveSessions.age).milliseconds, to: now.milliseconds,
            attention: .active, page: "/page-1")
        return Beat(
            source: .token(viewer: session.viewer, entry: session.number), arrival: now,
            content: .claims([claim], sentAt: now.milliseconds, interval: 180_000))
    }
}
