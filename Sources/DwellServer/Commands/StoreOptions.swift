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

    /// Reads settings from these flags and `more`, the environment, and the file.
    func settings(_ more: [Setting: String?] = [:]) throws -> SettingReader {
        let flags = more.merging([.databaseURL: databaseUrl]) { first, _ in first }
        return try SettingReader(
            flags: flags.compactMapValues(\.self), environment: ProcessInfo.processInfo.environment, file: config)
    }

    /// Opens the store that the settings name and brings it up to date. Its days are cut where the server cuts them.
    /// - Parameter mayBeNew: Whether the store may be made; where there is nothing to read, a path was mistyped
    func open(orMake mayBeNew: Bool = false) async throws -> OpenStore {
        let location = try StoreConfiguration.location(try settings())
        if let path = location.file, !mayBeNew, !FileManager.default.fileExists(atPath: path) {
            throw Setting.databaseURL.refusal(expected: "a database that `dwell serve` made; there is no \(path)")
        }
        let (database, _) = try await Store.open(location)
        let zone = try await database.read { try StatisticQueries(connection: $0).timeZone() }
        let days = LocalDays(timeZone: zone.flatMap(TimeZone.init(identifier:)) ?? .gmt)
        return OpenStore(location: location, database: database, days: days)
    }
}

/// A store that a command works on.
struct OpenStore {
    let location: StoreLocation
    let database: any Database
    let days: LocalDays
    let logger = Logger(label: "dwell") { _ in SwiftLogNoOpLogHandler() }

    var statistics: Statistics { Statistics(database: database, days: days, logger: logger) }

    var erasures: Erasures {
        Erasures(database: database, statistics: statistics, days: days, clock: .system, logger: logger)
    }
}

/// Opens stores.
enum Store {
    /// Opens the store as it is.
    /// - Parameters:
    ///   - location: Where it is
    ///   - name: What it is called when it can't be opened
    /// - Throws: ``InvalidField``
    static func connect(_ location: StoreLocation, as name: String) throws -> any Database {
        do {
            return switch location {
            case .sqlite(let path): try SQLiteDatabase(path: path)
            case .postgres(let url): try PostgresDatabase(url: url)
            }
        } catch let error as DatabaseError {
            throw InvalidField(
                name, expected: "a database that Dwell can open and write; \(location.description): \(error)")
        }
    }

    /// Opens the store and applies the migrations that it lacks.
    /// - Returns: The store, and the names of the migrations applied
    /// - Throws: ``InvalidField`` that names the setting
    static func open(_ location: StoreLocation) async throws -> (any Database, [String]) {
        do {
            let database = try connect(location, as: Setting.databaseURL.title)
            let migrations = try await Migrator.migrate(database, now: WallClock.system.now())
            if try await database.read({ try NoteQueries(connection: $0).text(of: .unfinishedCopy) }) != nil {
                throw Setting.databaseURL.refusal(
                    expected: "whole; \(location.description) is an unfinished copy: run `dwell copy` again")
            }
            return (database, migrations)
        } catch let error as DatabaseError {
            throw Setting.databaseURL.refusal(
                expected: "a database that Dwell can open and write; \(location.description): \(error)")
        } catch MigrationError.newerSchema(let number) {
            throw Setting.databaseURL.refusal(
                expected: "of a version that this program knows; \(location.description) is at migration \(number)")
        }
    }
}
