import ArgumentParser
import DwellAPI
import Foundation

/// `dwell user`
struct UserCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user", abstract: "People with an account, and the devices they are logged in on.",
        subcommands: [
            List.self, Show.self, Limit.self, LogOut.self, Disable.self, Enable.self, Delete.self,
        ])

    struct Limit: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Limit the devices of one account, and the videos at once. Without options: what holds.",
            discussion: """
                A lower limit logs nobody out and stops nothing; it keeps new ones out until there is room. The server \
                hears of it at the next login, or the next video.
                """)

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
            let videos = try CommandOption.value(self.videos, "--videos", expected: "a whole number from 1 to 1000") {
                Int($0).flatMap { (1...1000).contains($0) ? $0 : nil }
            }
            let limit = try CommandOption.value(self.devices, "--devices", expected: "a whole number from 1 to 1000") {
                Int($0).flatMap(DeviceQuota.limit(_:))
            }
            let policy = try CommandOption.value(
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
    }

    struct LogOut: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "sign-out", abstract: "End every login of one account, or of all; they can log in again.")

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

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Every account, by username.")

        @OptionGroup var store: StoreOptions

        @Option(help: "table for people; json or csv for programs.")
        var format: ReportFormat = .table

        func run() async throws {
            let open = try await store.open()
            let accounts = try await UserCommand.administration(open).list()
                .map { ListedAccount($0.account, devices: $0.devices) }
            FileHandle.standardOutput.write(Data(try format.text(of: accounts).utf8))
            try open.database.close()
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "One account, and its devices.")

        @OptionGroup var store: StoreOptions

        @Argument(help: "The username.")
        var name: String

        @Option(help: "table for people, json for programs.")
        var format: EvidenceFormat = .table

        func run() async throws {
            let open = try await store.open()
            let found = try await UserCommand.administration(open).account(name)
            let account = ListedAccount(found.account, devices: found.devices.count)
            let devices = found.devices.map(\.record)
            let text =
                switch format {
                case .json: try ReportFormat.json(ShownAccount(account: account, devices: devices))
                case .table:
                    try "\(ReportFormat.table.text(of: [account]))\nDEVICES\n"
                        + (devices.isEmpty ? "None.\n" : ReportFormat.table.text(of: devices))
                }
            FileHandle.standardOutput.write(Data(text.utf8))
            try open.database.close()
        }
    }

    struct Disable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Close one account: every login ends at once, and nobody can log in to it.")

        @OptionGroup var store: StoreOptions

        @Argument(help: "The username.")
        var name: String

        func run() async throws {
            let open = try await store.open()
            let count = try await UserCommand.administration(open).disable(name)
            print("\(name) is disabled. Logged out on \(count) \(count == 1 ? "device" : "devices").")
            try open.database.close()
        }
    }

    struct Enable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Open a disabled account again.")

        @OptionGroup var store: StoreOptions

        @Argument(help: "The username.")
        var name: String

        func run() async throws {
            let open = try await store.open()
            try await UserCommand.administration(open).enable(name)
            print("\(name) can log in.")
            try open.database.close()
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Delete one account and all that is known of its owner; every login ends at once.",
            discussion: """
                Sessions, segments and statistics go too: the sums of days and videos get smaller. It can't be undone.
                """)

        @OptionGroup var store: StoreOptions

        @Argument(help: "The username.")
        var name: String

        @Flag(help: "Do not ask.")
        var yes = false

        func run() async throws {
            let open = try await store.open()
            let administration = UserCommand.administration(open)
            // One that there is not is named before anything is asked.
            let account = try await administration.account(name).account
            guard yes || Self.isConfirmed(account) else { throw ValidationError("Nothing was deleted.") }
            let erasures = open.erasures
            _ = try await erasures.begin(.named(email: nil, username: name), by: .commandLine, as: .accountDeletion)
            try await erasures.complete()
            print("\(name) is deleted.")
            try open.database.close()
        }

        private static func isConfirmed(_ account: Account) -> Bool {
            print(
                "Delete \(account.username) (\(account.email)) and everything known of them? Type the username: ",
                terminator: "")
            return readLine() == account.username
        }
    }

    private static func administration(_ open: OpenStore) -> AccountAdministration {
        AccountAdministration(database: open.database, clock: .system)
    }

    private static func devices(_ open: OpenStore) -> Devices {
        Devices(database: open.database, clock: .system)
    }
}

/// An account as operators see it.
private struct ListedAccount: ReportRow {
    let id: String
    let username: String
    let email: String
    let isVerified: Bool
    /// How many devices it is logged in on.
    let devices: Int
    let createdAt: Timestamp
    let lastLoggedInAt: Timestamp
    @Nullable var disabledAt: Timestamp?

    init(_ account: Account, devices: Int) {
        id = account.id.lowercase
        username = account.username
        email = account.email
        isVerified = account.isVerified
        self.devices = devices
        createdAt = account.createdAt
        lastLoggedInAt = account.lastLoggedInAt
        disabledAt = account.disabledAt
    }

    static var columns: [ReportColumn] {
        [
            ReportColumn(name: "username", title: "username"),
            ReportColumn(name: "email", title: "email"),
            ReportColumn(name: "isVerified", title: "confirmed"),
            ReportColumn(name: "devices", title: "devices"),
            ReportColumn(name: "createdAt", title: "since (UTC)"),
            ReportColumn(name: "lastLoggedInAt", title: "last login (UTC)"),
            ReportColumn(name: "disabledAt", title: "disabled (UTC)"),
            ReportColumn(name: "id", title: "id"),
        ]
    }

    var cells: [ReportCell] {
        [
            .text(username), .text(email), .text(isVerified ? "yes" : "no"), .number(Int64(devices)), .time(createdAt),
            .time(lastLoggedInAt), disabledAt.map { .time($0) } ?? .text(""), .text(id),
        ]
    }
}

/// `dwell user show --format json`
private struct ShownAccount: Encodable {
    let account: ListedAccount
    let devices: [DeviceRecord]
}

extension DeviceRecord: ReportRow {
    static var columns: [ReportColumn] {
        [
            ReportColumn(name: "device_name", title: "device"),
            ReportColumn(name: "last_logged_in", title: "last login (UTC)"),
            ReportColumn(name: "last_seen", title: "last seen (UTC)"),
            ReportColumn(name: "address", title: "from"),
            ReportColumn(name: "id", title: "id"),
        ]
    }

    var cells: [ReportCell] {
        [
            .text(deviceName), .time(lastLoggedIn), lastSeen.map { .time($0) } ?? .text(""), .text(address ?? ""),
            .text(id),
        ]
    }
}
