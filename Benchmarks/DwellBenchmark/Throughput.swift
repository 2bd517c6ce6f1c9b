import ArgumentParser
import DwellAPI
import DwellServer
import Foundation
import Logging

/// `dwell-benchmark update URL`: the baseline of the stores by itself. Prints updates a second.
struct Update: AsyncParsableCommand {
    @Argument var url: String
    @OptionGroup var pressure: Pressure

    func run() async throws {
        let store = try UpdateStore(url: url)
        print(try await pressure.rate { _ in try await store.update() })
    }
}

/// `dwell-benchmark ingest URL`: Dwell's beats without HTTP. Prints beats a second.
struct Ingest: AsyncParsableCommand {
    /// What beats tell.
    enum Telling: String, ExpressibleByArgument {
        /// Nothing but that they come.
        case bodyless
        /// A page that is open, or a video that plays. What is watched is folded meanwhile.
        case page, video

        /// One segment that grows.
        fileprivate func content(of entry: Entry, at now: Timestamp) -> Beat.Content {
            guard self != .bodyless else { return .presence(page: nil) }
            var claim = SegmentClaim(
                tab: LiveSessions.tab, n: 0, from: entry.startedAt.milliseconds, to: now.milliseconds,
                attention: .active, page: "/page-1")
            if self == .video {
                (claim.video, claim.rate, claim.mediaDuration) = ("video-1", 1, 10_800_000)
                (claim.mediaFrom, claim.mediaTo) = (0, now - entry.startedAt)
            }
            return .claims([claim], sentAt: now.milliseconds, interval: 15_000)
        }
    }

    @OptionGroup var store: StoreArgument
    @OptionGroup var pressure: Pressure
    @Option(help: "What each beat tells: bodyless, page or video.")
    var telling: Telling = .bodyless

    func run() async throws {
        let database = try await store.open()
        let clock = WallClock.system
        let gate = Gate(
            database: database, days: LocalDays(timeZone: .gmt), clock: clock,
            secret: SecretKey(Data(repeating: 1, count: 32)))
        var entries: [Entry] = []
        for number in 0..<UpdateStore.rows {
            entries.append(try await gate.enter(email: "visitor\(number)@example.com"))
        }
        let settings = BeatSettings(interval: 180_000, days: LocalDays(timeZone: .gmt))
        let writer = BeatWriter(database: database, settings: settings, logger: Logger(label: "benchmark"))
        let writing = Task { try await writer.run() }
        let known = entries
        let audience = Audience(database: database, logger: Logger(label: "benchmark"))
        let folding = Task {
            while !Task.isCancelled {
                if try await audience.isWaiting() { try await audience.fold() }
                try await Task.sleep(for: .milliseconds(500))
            }
        }
        print(
            try await pressure.rate { [telling] number in
                let entry = known[number % known.count]
                let now = clock.now()
                let beat = Beat(
                    source: .token(viewer: entry.viewer, entry: entry.id), arrival: now,
                    content: telling.content(of: entry, at: now))
                _ = try await writer.store(beat)
            })
        folding.cancel()
        _ = await folding.result
        writing.cancel()
        try await writing.value
    }
}

/// So many calls at once, for so long.
struct Pressure: ParsableArguments {
    @Option var concurrency = 1024
    @Option var seconds = 8

    /// - Parameter body: Gets a running number
    /// - Returns: How many calls ended in a second
    func rate(_ body: @Sendable @escaping (Int) async throws -> Void) async throws -> Int {
        let deadline = ContinuousClock.now + .seconds(seconds)
        let total = try await withThrowingTaskGroup(of: Int.self) { group in
            for index in 0..<concurrency {
                group.addTask { [concurrency] in
                    var done = 0
                    while ContinuousClock.now < deadline {
                        try await body(index + done * concurrency)
                        done += 1
                    }
                    return done
                }
            }
            return try await group.reduce(0, +)
        }
        return total / seconds
    }
}
