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
    @OptionGroup var store: StoreArgument
    @OptionGroup var pressure: Pressure

    func run() async throws {
        let database = try await store.open()
        let clock = WallClock.system
        let gate = Gate(database: database, clock: clock, secret: SecretKey(Data(repeating: 1, count: 32)))
        var entries: [Entry] = []
        for number in 0..<UpdateStore.rows {
            entries.append(try await gate.enter(email: "visitor\(number)@example.com"))
        }
        let settings = BeatSettings(interval: 180_000, days: LocalDays(timeZone: .gmt))
        let writer = BeatWriter(database: database, settings: settings, logger: Logger(label: "benchmark"))
        let writing = Task { try await writer.run() }
        let known = entries
        print(
            try await pressure.rate { number in
                let entry = known[number % known.count]
                let beat = Beat(
                    source: .token(viewer: entry.viewer, entry: entry.id), arrival: clock.now(),
                    content: .presence(page: nil))
                _ = try await writer.store(beat)
            })
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
