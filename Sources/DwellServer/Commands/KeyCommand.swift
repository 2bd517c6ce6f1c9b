import ArgumentParser
import Foundation

/// `dwell key`
struct KeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "Keys that let programs read sessions.", subcommands: [Create.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a key. It is shown once; the database keeps only its hash.")

        @OptionGroup var store: StoreOptions

        @Option(help: "Tells this key from the others.")
        var name: String

        func run() async throws {
            let open = try await store.open(orMake: true)
            let key = try await APIKeys(database: open.database, clock: .system).create(name: name)
            print(
                "A key for \(open.location.description). Keep it: it can't be shown again. Send it as `Authorization: Bearer KEY`."
            )
            print(key)
            try open.database.close()
        }
    }
}
