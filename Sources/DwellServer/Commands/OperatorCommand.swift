import ArgumentParser
import DwellAPI
import Foundation
import NIOPosix

/// `dwell operator`
struct OperatorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "operator", abstract: "Who may look at the dashboard.",
        discussion:
            "An owner sees everything, a viewer neither webhooks nor the audit log nor the settings. Passwords are read, not given.",
        subcommands: [List.self, Add.self, Remove.self, Password.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Every operator, by name.")

        @OptionGroup var store: StoreOptions

        @Option(help: "table for people; json or csv for programs.")
        var format: ReportFormat = .table

        func run() async throws {
            let open = try await store.open()
            let operators = try await OperatorCommand.operators(open).list().map(\.record)
            FileHandle.standardOutput.write(Data(try format.text(of: operators).utf8))
            try open.database.close()
        }
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add an operator. The password is asked for, or the first line of standard input.")

        @OptionGroup var store: StoreOptions

        @Argument(help: "The name.")
        var name: String

        @Option(help: "owner or viewer.", transform: Self.role)
        var role: Operator.Role = .viewer

        func run() async throws {
            let open = try await store.open(orMake: true)
            let password = try OperatorCommand.password()
            try await OperatorCommand.operators(open).add(name: name, password: password, role: role)
            print("\(name) may sign in, as \(role.rawValue).")
            try open.database.close()
        }

        private static func role(_ text: String) throws -> Operator.Role {
            guard let role = Operator.Role(rawValue: text) else {
                throw ValidationError("--role must be \(Operator.Role.expectation), not \(text)")
            }
            return role
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove an operator, who is signed out at once. The last owner stays.")

        @OptionGroup var store: StoreOptions

        @Argument(help: "The name.")
        var name: String

        func run() async throws {
            let open = try await store.open()
            try await OperatorCommand.operators(open).remove(name)
            print("\(name) is removed.")
            try open.database.close()
        }
    }

    struct Password: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give an operator another password, and sign them out everywhere.")

        @OptionGroup var store: StoreOptions

        @Argument(help: "The name.")
        var name: String

        func run() async throws {
            let open = try await store.open()
            let password = try OperatorCommand.password()
            try await OperatorCommand.operators(open).changePassword(of: name, to: password)
            print("\(name) has another password.")
            try open.database.close()
        }
    }

    private static func operators(_ open: OpenStore) throws -> Operators {
        Operators(database: open.database, hasher: try PasswordHasher(pool: .singleton), clock: .system)
    }

    /// Asks a person without showing what is typed; a program writes a line.
    private static func password() throws -> String {
        let typed = isatty(STDIN_FILENO) == 1 ? getpass("Password: ").map { String(cString: $0) } : readLine()
        guard let typed, !typed.isEmpty else { throw InvalidField("password", expected: "a line of standard input") }
        return typed
    }
}

extension OperatorRecord: ReportRow {
    static var columns: [ReportColumn] {
        [
            ReportColumn(name: "name", title: "operator"),
            ReportColumn(name: "role", title: "role"),
            ReportColumn(name: "createdTime", title: "since (UTC)"),
        ]
    }

    var cells: [ReportCell] { [.text(name), .text(role), .time(createdTime)] }
}
