import ArgumentParser
import DwellAPI
import Foundation
import Logging

/// The options of every command that opens the store.
struct StoreOptions: ParsableArguments {
    @Option(help: "A YAML file of settings, such as `port: 8080`.")
    var config: String?

    @Option(help: "Where the data is. (default: sqlite:dwell.sqlite)")
    var databaseUrl: String?

    @Option(help: "Where midnight is taken from, an IANA name. (default: UTC)")
    var timeZone: String?

    /// Reads settings from these flags and `more`, the environment, and the file.
    func settings(_ more: [Setting: String?] = [:]) throws -> SettingReader {
        let flags = more.merging([.databaseURL: databaseUrl, .timeZone: timeZone]) { first, _ in first }
        return try SettingReader(
            flags: flags.compactMapValues(\.self), environment: ProcessInfo.processInfo.environment, file: config)
    }

    /// Opens the store that the settings name and brings it up to date.
    func open() async throws -> OpenStore {
        let configuration = try StoreConfiguration(try settings())
        let (database, _) = try await Store.open(configuration)
        return OpenStore(database: database, days: LocalDays(timeZone: configuration.timeZone))
    }
}

/// A store that a command works on.
struct OpenStore {
    let database: any Database
    let days: LocalDays
    let logger = Logger(label: "dwell") { _ in SwiftLogNoOpLogHandler() }
}

/// Opens stores.
enum Store {
    /// Opens the store and applies the migrations that it lacks.
    /// - Returns: The store, and the names of the migrations applied
    /// - Throws: ``InvalidField`` that names the setting
    static func open(_ configuration: StoreConfiguration) async throws -> (any Database, [String]) {
        do {
            let database = try SQLiteDatabase(path: configuration.path)
            return (database, try await Migrator.migrate(database, now: WallClock.system.now()))
        } catch let error as DatabaseError {
            throw Setting.databaseURL.refusal(
                expected: "a file that Dwell can open and write; \(configuration.path): \(error)")
        } catch MigrationError.newerSchema(let number) {
            throw Setting.databaseURL.refusal(
                expected: "of a version that this program knows; \(configuration.path) is at migration \(number)")
        }
    }
}
