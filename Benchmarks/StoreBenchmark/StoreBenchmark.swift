import ArgumentParser
import DwellAPI
import DwellServer
import Foundation
import Hummingbird
import Logging

/// Stores measured without HTTP, and the baseline with it.
@main
struct StoreBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store-benchmark", subcommands: [Serve.self, Ingest.self, Update.self])

    /// `store-benchmark serve URL PORT`: the baseline behind HTTP.
    struct Serve: AsyncParsableCommand {
        @Argument var url: String
        @Argument var port: Int

        func run() async throws {
            let store = try UpdateStore(url: url)
            let router = Router()
            router.post("/api/session-heartbeat") { _, _ in
                try await store.update()
                return "{\"success\":true}"
            }
            let application = Application(
                router: router, configuration: .init(address: .hostname("127.0.0.1", port: port)))
            try await application.runService()
        }
    }

    /// `store-benchmark update URL`: the baseline by itself.
    struct Update: AsyncParsableCommand {
        @Argument var url: String
        @OptionGroup var load: Load

        func run() async throws {
            let store = try UpdateStore(url: url)
            print(try await load.measure { _ in try await store.update() })
        }
    }

    /// `store-benchmark ingest URL`: Dwell's beats by themselves, of a database that has been migrated.
    struct Ingest: AsyncParsableCommand {
        @Argument var url: String
        @OptionGroup var load: Load

        func run() async throws {
            guard let location = StoreLocation(url) else { throw ValidationError("URL must be sqlite: or postgres:") }
            let database: any Database =
                switch location {
                case .sqlite(let path): try SQLiteDatabase(path: path)
                case .postgres(let url): try PostgresDatabase(url: url)
                }
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
                try await load.measure { number in
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
}

/// So many at once, for so long.
struct Load: ParsableArguments {
    @Option var concurrency = 1024
    @Option var seconds = 8

    /// - Parameter body: Gets a running number
    /// - Returns: How many calls ended in a second
    func measure(_ body: @Sendable @escaping (Int) async throws -> Void) async throws -> Int {
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
