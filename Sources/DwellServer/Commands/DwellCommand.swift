public import ArgumentParser
import Foundation

/// `dwell`: the server and its tools in one program.
public struct DwellCommand: AsyncParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "dwell",
        abstract: "Who really spent how long on what, and the proof.",
        version: Version.number,
        subcommands: [
            ServeCommand.self, MigrateCommand.self, ReportCommand.self, LiveCommand.self, TopCommand.self,
            ShowCommand.self, RecomputeCommand.self, ExportCommand.self, KeyCommand.self, GateCommand.self,
            UserCommand.self, PersonCommand.self, VideoCommand.self, OperatorCommand.self, AuditCommand.self,
            SecretCommand.self, CopyCommand.self,
            BackupCommand.self, RestoreCommand.self, DoctorCommand.self, ImportCommand.self,
        ])

    public init() {}

    /// Runs the command that the arguments name, and ends the process with its exit code.
    public static func start() async {
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch let error as InvalidField {
            FileHandle.standardError.write(Data("dwell: \(error)\n".utf8))
            // EX_CONFIG of sysexits(3).
            Foundation.exit(78)
        } catch {
            exit(withError: error)
        }
    }
}
