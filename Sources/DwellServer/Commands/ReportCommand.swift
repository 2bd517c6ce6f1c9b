import ArgumentParser
import DwellAPI
import Foundation

/// `dwell report`
struct ReportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Who spent how long on what.",
        discussion: """
            elapsed: from the first to the last sign of life. visible: the page was in view. engaged: and the person \
            was active. Several tabs and devices at once count once.
            """,
        subcommands: [Sessions.self, Totals.self, Days.self, Videos.self, Video.self, Viewers.self],
        defaultSubcommand: Sessions.self)

    struct Sessions: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Every session, the latest first.")

        @OptionGroup var options: ReportOptions

        func run() async throws {
            try await options.print { reports, range in
                var filter = SessionFilter()
                filter.email = options.email
                filter.username = options.username
                filter.from = range.from
                filter.to = range.to
                filter.limit = SessionFilter.pageLimit
                var sessions: [SessionRecord] = []
                repeat {
                    let page = try await reports.sessions(filter)
                    sessions += page.sessions
                    filter.cursor = page.nextCursor.flatMap { SessionCursor($0) }
                } while filter.cursor != nil
                return sessions
            }
        }
    }

    struct Totals: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Each person in all, the most engaged first.")

        @OptionGroup var options: ReportOptions

        func run() async throws {
            try await options.print { reports, range in try await reports.totals(options.scope(range)) }
        }
    }

    struct Days: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Each day, the latest first.")

        @OptionGroup var options: ReportOptions

        func run() async throws {
            try await options.print { reports, range in try await reports.days(options.scope(range)) }
        }
    }

    struct Videos: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Each video, the most watched first.")

        @OptionGroup var options: ReportOptions

        func run() async throws {
            try await options.print { reports, range in try await reports.videos(options.scope(range)) }
        }
    }
}
