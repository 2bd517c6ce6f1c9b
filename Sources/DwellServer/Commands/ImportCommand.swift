import ArgumentParser

/// `dwell import`
struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Bring in what an earlier system kept.",
        discussion: """
            What was imported before is not imported twice, so the old system may go on and the command be given again. \
            Rows that can't be used are skipped and reported. It may run beside the server.
            """,
        subcommands: [ImportExpressCommand.self, ImportNocoDBCommand.self])
}
