import ArgumentParser
import Foundation

/// `dwell migrate`
struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate", abstract: "Bring the database up to date. `dwell serve` does so by itself.")

    @OptionGroup var store: StoreOptions

    func run() async throws {
        let (database, migrations) = try await Store.open(try StoreConfiguration.location(try store.settings()))
        for migration in migrations { print("applied \(migration)") }
        print("The database is up to date.")
        try database.close()
    }
}
