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
            abstract: "Limit the devices of one account, and the videos at once. Without options: what holds.",
            discussion: """
                A lower limit logs nobody out and stops nothing; it keeps new ones out until there is room. The server \
                hears of it at the next login, or the next video.
                """)

        /// Leaves something to the server's setting.
        private static let standard = "default"

        @OptionGroup var store: StoreOptions

        @Argument(help: "The username.")
        var name: String

        @Option(help: "How many devices, 1 to 1000; default: what the server is set to.")
        var devices: String?

        @Option(help: "What happens to one more: deny, ask or evict-oldest; default: what the server is set to.")
        var policy: String?

        @Option(
            help: """
                How many videos at once, 1 to 1000, where --viewing-limit sets a limit; default: what the server is set to.
                """)
        var videos: String?

        func run() async throws {
            let videos = try Self.value(self.videos, "--videos", expected: "a whole number from 1 to 1000") {
                Int($0).flatMap { (1...1000).contains($0) ? $0 : nil }
            }
            let limit = try Self.value(self.devices, "--devices", expected: "a whole number from 1 to 1000") {
                Int($0).flatMap(DeviceQuota.limit(_:))
            }
            let policy = try Self.value(
                self.policy, "--policy", expected: DevicePolicy.expectation, DevicePolicy.init(rawValue:))
            let open = try await store.open()
            let account = try await UserCommand.devices(open).limit(of: name) { account in
                if let limit { account.deviceLimit = limit }
                if let policy { account.devicePolicy = policy }
                if let videos { account.viewingLimit = videos }
            }
            let held = [
                ("devices", account.deviceLimit.map(String.init)), ("policy", account.devicePolicy?.rawValue),
                ("videos at once", account.viewingLimit.map(String.init)),
            ]
            print("\(name): " + held.map { "\($0): \($1 ?? "the server's setting")" }.joined(separator: "; "))
            try open.database.close()
        }

        /// - Returns: `nil` when the option was not given, and in it `nil` for the server's setting
        private static func value<Value>(
            _ text: String?, _ option: String, expected: String, _ parse: (String) -> Value?
        ) throws -> Value?? {
            guard let text else { return nil }
            guard text != standard else { return .some(nil) }
            guard let value = parse(text) else {
                throw InvalidField(option, expected: "\(expected), or \(standard), not \(text)")
            }
            return value
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
