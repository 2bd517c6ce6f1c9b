import ArgumentParser
import DwellServer
import Foundation

/// What benchmarks need beside Dwell itself: data, load, and something to compare with.
@main
struct DwellBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dwell-benchmark",
        subcommands: [Baseline.self, FillHistory.self, FillLive.self, OpenLoop.self, Ingest.self, Update.self])
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
