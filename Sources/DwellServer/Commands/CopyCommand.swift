import ArgumentParser
import DwellAPI
import Foundation

/// `dwell copy`
struct CopyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "copy", abstract: "Move house: copy everything from one database to another.",
        discussion: """
            Stop the server first: what it stores while the copy runs is missing there, and then the comparison at \
            the end fails. Interrupted, the same command goes on where it was. A server does not open an unfinished \
            copy.
            """)

    @Argument(help: "Where the data is, such as sqlite:dwell.sqlite. Nothing is changed there.")
    var source: String

    @Argument(help: "An empty database, such as postgres://dwell@db.example/dwell.")
    var target: String

    @Flag(help: "Throw an unfinished copy in the target away and begin anew.")
    var afresh = false

    func run() async throws {
        let (from, to) = (try Self.location(source, of: "the source"), try Self.location(target, of: "the target"))
        guard from != to else { throw InvalidField("the target", expected: "another database than the source") }
        if let path = from.file, !FileManager.default.fileExists(atPath: path) {
            throw InvalidField("the source", expected: "a database that `dwell serve` made; there is no \(path)")
        }
        let stores = (from: try Store.connect(from, as: "the source"), to: try Store.connect(to, as: "the target"))
        let copy = StoreCopy(from: stores.from, to: stores.to, clock: .system)
        do {
            let bars = [ProgressBar(of: "rows copied"), ProgressBar(of: "rows compared")]
            defer { for bar in bars { bar.end() } }
            let outcome = try await copy.run(afresh: afresh) { phase, done, count in
                bars[phase == .copying ? 0 : 1].show(done, of: count)
            }
            for bar in bars { bar.end() }
            try report(outcome, from, to)
        } catch let error as CopyError {
            throw error.refusal
        } catch let error as DatabaseError {
            Self.complain("interrupted: \(error). The same command goes on where it was.")
            throw ExitCode.failure
        }
        try stores.from.close()
        try stores.to.close()
    }

    private func report(_ outcome: StoreCopy.Outcome, _ from: StoreLocation, _ to: StoreLocation) throws {
        print(outcome.report.text, terminator: "")
        let different = outcome.report.tables.filter { !$0.isSame }.map(\.name)
        guard outcome.report.isSame else {
            Self.complain(
                """
                \(to.description) is not a copy of \(from.description): \
                \((different.isEmpty ? ["sequences"] : different).joined(separator: ", ")) \
                \(different.count > 1 ? "are" : "is") different. Did a server write to either of them? Stop it, \
                then copy again with --afresh.
                """)
            throw ExitCode.failure
        }
        switch outcome {
        case .copied: print("\(to.description) now holds everything that \(from.description) holds.")
        case .wasWhole: print("\(to.description) held everything already; nothing was changed.")
        }
    }

    private static func location(_ url: String, of name: String) throws -> StoreLocation {
        guard let location = StoreLocation(url) else {
            throw InvalidField(
                name, expected: "sqlite: and a path, such as sqlite:dwell.sqlite, or postgres://user@host/name")
        }
        return location
    }

    private static func complain(_ text: String) {
        FileHandle.standardError.write(Data("dwell: \(text)\n".utf8))
    }
}
