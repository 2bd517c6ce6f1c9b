import ArgumentParser
import Foundation

/// `dwell recompute`
struct RecomputeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recompute",
        abstract: "Compute every day, and what was watched of videos, anew from the segments.",
        discussion: """
            Statistics follow from segments, so this changes nothing, except days that were waiting to be computed. \
            It may run beside the server.
            """)

    @OptionGroup var store: StoreOptions

    func run() async throws {
        let open = try await store.open()
        let statistics = Statistics(database: open.database, days: open.days, logger: open.logger)
        let waiting = try await statistics.aggregate()
        let bar = ProgressBar(of: "people")
        let result = try await statistics.recompute { done, count in bar.show(done, of: count) }
        bar.end()
        let watched = try await Audience.noted(in: open.database, logger: open.logger).recompute()
        print("\(waiting) days were waiting and were computed.")
        print("\(result.days) days were computed anew; \(result.changed) of them were different.")
        if result.folded > 0 { print("\(result.folded) more were left as they are: their segments are folded.") }
        print("\(result.totals) totals of everybody were different, and are as these days say.")
        print(
            "\(watched.pairs) times somebody watched a video were computed anew; \(watched.changed) of them were different."
        )
        print("\(watched.videos) videos were added up anew; \(watched.changedVideos) of them were different.")
        try open.database.close()
    }
}
