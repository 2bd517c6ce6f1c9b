import ArgumentParser
import DwellAPI
import Foundation

/// `dwell user`
struct UserCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user", abstract: "People with an account, and the devices they are logged in on.",
        subcommands: [Limit.self, LogOut.self])

    struct Limit: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Limit the devices of one account. Without options: what holds.",
            discussion: """
                A lower limit logs nobody out; it keeps new devices out until there is room. The server hears of it \
                at the next login.
                """)

        @OptionGroup var store: StoreOptions

        @Argument(help: "The username.")
        var name: String

        @Option(help: "How many devices, 1 to 1000; default: what the server is set to.")
        var devices: String?

        @Option(help: "What happens to one more: deny, ask or evict-oldest; default: what the server is set to.")
        var policy: String?

        func run() async throws {
            let limit = try CommandOption.value(self.devices, "--devices", expected: "a whole number from 1 to 1000") {
                Int($0).flatMap(DeviceQuota.limit(_:))
            }
            let policy = try CommandOption.value(
                self.policy, "--policy", expected: DevicePolicy.expectation, DevicePolicy.init(rawValue:))
            let open = try await store.open()
            let quota = try await UserCommand.devices(open).limit(of: name) { oldLimit, oldPolicy in
                if let limit { oldLimit = limit }
                if let policy { oldPolicy = policy }
            }
            let count = quota.limit.map { "\($0)" } ?? "the server's setting"
            print("\(name): devices: \(count); policy: \(quota.policy?.rawValue ?? "the server's setting")")
            try open.database.close()
        }
    }

    struct LogOut: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "logout", abstract: "End every login of one account, or of all; they can log in again.")

        @OptionGroup var store: StoreOptions

        @Argument(help: "The username.")
        var name: String?

        @Flag(help: "Everybody, in place of a username.")
        var everyone = false

        func validate() throws {
            guard (name == nil) == everyone else { throw ValidationError("Give a username, or --everyone.") }
        }

        func run() async throws {
            let open = try await store.open()
            let count = try await UserCommand.devices(open).removeAll(of: name)
            print("Logged out on \(count) \(count == 1 ? "device" : "devices").")
            try open.database.close()
        }
    }

    private static func devices(_ open: OpenStore) -> Devices {
        Devices(database: open.database, clock: .system)
    }
}
