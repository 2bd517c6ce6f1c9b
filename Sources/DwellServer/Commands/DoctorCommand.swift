import ArgumentParser
import Foundation

/// `dwell doctor`
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Look whether the server has what it needs.",
        discussion: """
            Give it the server's environment and --config, and run it as the server's user. It changes nothing and \
            sends nothing, unless --mail-to says so. It ends with 1 when something failed.
            """)

    @OptionGroup var store: StoreOptions

    @Option(help: "Send a mail there, to see whether it arrives.")
    var mailTo: String?

    @Option(help: "table for people, json for programs.")
    var format: FindingFormat = .table

    func run() async throws {
        let doctor = Doctor(
            settings: try store.settings(), recipient: try mailTo.map { try EmailAddress.normalize($0) })
        let findings = await doctor.findings()
        FileHandle.standardOutput.write(Data(try format.text(of: findings).utf8))
        if findings.contains(where: { $0.state == .fail }) { throw ExitCode.failure }
    }
}

extension FindingFormat: ExpressibleByArgument {}
