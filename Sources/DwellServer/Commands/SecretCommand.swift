import ArgumentParser
import Foundation

/// `dwell secret`
struct SecretCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "secret", abstract: "The secret that signs logins and cookies.", subcommands: [Rotate.self])

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a new secret. What the present one signed stays good until the next rotation.",
            discussion: """
                Beside SQLite the key file is written anew; restart the server. Where DWELL_SECRET_KEY is set, its new \
                value is printed and nothing is changed: set it on every node and restart them. Rotate twice to make \
                everything worthless that a stolen secret can sign.
                """)

        @OptionGroup var store: StoreOptions

        func run() async throws {
            let settings = try store.settings()
            if let secret = try ServerConfiguration.givenSecret(settings) {
                print(secret.rotated().setting)
                return
            }
            let location = try StoreConfiguration.location(settings)
            guard let database = location.file else {
                throw Setting.secretKey.refusal(expected: "set: it is to be rotated")
            }
            let path = database + SecretFile.ending
            guard try SecretFile(path: path).rotate() else {
                throw Setting.databaseURL.refusal(
                    expected: "a database that `dwell serve` made; there is no \(path)")
            }
            let now = WallClock.system.now()
            let open = try await store.open()
            try await open.database.write { connection in
                try AuditLog.write(AuditEntry(.secretRotation, by: .operator, at: now), connection)
            }
            try open.database.close()
            print("\(path) has a new secret. Restart the server.")
        }
    }
}
