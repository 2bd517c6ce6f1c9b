import ArgumentParser
import DwellServer
import Foundation

/// What benchmarks need beside Dwell itself: data, load, and something to compare with.
@main
struct DwellBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dwell-benchmark",
        subcommands: [
            Baseline.self, FillHistory.self, FillLive.self, CountBeats.self, OpenLoop.self, Ingest.self, Update.self,
            AudienceOfOne.self, FoldAway.self,
        ])
}

/// The store that a command works on.
struct StoreArgument: ParsableArguments {
    @Argument(help: "sqlite:PATH, or postgres://…")
    var url: String

    /// Opens the store and brings it up to date.
    func open() async throws -> any Database {
        guard let location = StoreLocation(url) else { throw ValidationError("URL must be sqlite: or postgres:") }
        let database: any Database =
            switch location {
            case .sqlite(let path): try SQLiteDatabase(path: path)
            case .postgres(let url): try PostgresDatabase(url: url)
            }
        _ = try await Migrator.migrate(database, now: WallClock.system.now())
        return database
    }
}

/// Says on standard output that requests may come now, in the words of `dwell serve`.
func announce(port: Int) {
    FileHandle.standardOutput.write(Data("The baseline is ready at http://localhost:\(port)\n".utf8))
}

/// `dwell-benchmark count-beats URL`: prints how many beats the segments were told of by.
struct CountBeats: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "count-beats")

    @OptionGroup var store: StoreArgument

    func run() async throws {
        let database = try await store.open()
        let count: Int64? = try await database.read {
            try $0.row("SELECT CAST(sum(beats) AS BIGINT) AS count FROM segment")?["count"]
        }
        print(count ?? 0)
        try database.close()
    }
}
