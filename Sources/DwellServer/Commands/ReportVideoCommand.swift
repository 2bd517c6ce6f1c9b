import ArgumentParser
import DwellAPI
import Foundation

extension ReportCommand {
    /// `dwell report video`
    struct Video: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "A video's audience: how many people saw each part of it.",
            discussion: "As a table the curve is drawn, as json or csv it is listed.")

        @OptionGroup var options: VideoOptions

        func run() async throws {
            try await options.print { videos in
                try await videos.audience(of: options.name).map { try options.format.text(of: $0) }
            }
        }
    }

    /// `dwell report viewers`
    struct Viewers: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Those who watched a video: how much of it, and when they completed it.")

        @OptionGroup var options: VideoOptions

        func run() async throws {
            try await options.print { videos in
                var viewers: [VideoViewer] = []
                var last: Int64? = 0
                while let after = last {
                    guard let page = try await videos.viewers(of: options.name, after: after) else { return nil }
                    viewers += page.viewers
                    last = page.nextCursor.flatMap(VideoCursor.number)
                }
                return try options.format.text(of: viewers)
            }
        }
    }
}

/// What reports on one video can be asked.
struct VideoOptions: ParsableArguments {
    @OptionGroup var store: StoreOptions

    @Argument(help: "The video's name.")
    var name: String

    @Option(help: "table for people; json or csv for programs.")
    var format: ReportFormat = .table

    /// Brings what was watched up to date, asks, and prints the answer.
    /// - Parameter ask: `nil` when there is no such video
    fileprivate func print(_ ask: (Videos) async throws -> String?) async throws {
        let open = try await store.open()
        try await Audience.noted(in: open.database, logger: open.logger).fold()
        guard let text = try await ask(Videos(database: open.database)) else {
            throw InvalidField("the video", expected: "one that there is; there is no \(name)")
        }
        FileHandle.standardOutput.write(Data(text.utf8))
        try open.database.close()
    }
}

extension ReportFormat {
    /// A video's audience.
    func text(of audience: VideoAudience) throws -> String {
        switch self {
        case .json: try Self.json(audience)
        case .csv: try text(of: audience.buckets)
        case .table: audience.drawing
        }
    }
}

/// A bucket of a video's curve.
private struct BucketRow: ReportRow {
    let fromMs: Int64
    let viewers: Int64
    let again: Int64

    static var columns: [ReportColumn] {
        ["fromMs", "viewers", "again"].map { ReportColumn(name: $0, title: $0) }
    }

    var cells: [ReportCell] { [.duration(fromMs), .number(viewers), .number(again)] }
}

extension VideoAudience {
    /// How wide curves are drawn at most, in characters.
    private static let width = 72
    private static let bars = Array("▁▂▃▄▅▆▇█")

    fileprivate var buckets: [BucketRow] {
        zip(curve, again).enumerated().map { index, counts in
            BucketRow(fromMs: Int64(index) * (bucketMs ?? 0), viewers: counts.0, again: counts.1)
        }
    }

    fileprivate var drawing: String {
        var lines = [
            "\(ReportCell.text(video.name).readable): \(video.durationMs.map(MediaTime.text) ?? "of unknown length"), "
                + "completed with \(ReportCell.part(video.completeAt).readable) of it",
            "\(video.viewers) watched it, \(video.starts ?? 0) its beginning, \(video.finishes ?? 0) its end; "
                + "\(video.completions) completed it.",
            "Watched in all: \(ReportCell.duration(video.watchedMs).readable)"
                + (video.coverage.map { "; on average \(ReportCell.part($0).readable) of it." } ?? "."),
        ]
        if counting { lines.append("It is being counted anew: the figures grow until everybody is counted.") }
        if let duration = video.durationMs {
            lines += [
                "", Self.line(curve, of: video.viewers), Self.axis(duration, length: min(Self.width, curve.count)),
                Self.line(again, of: video.viewers) + "  seen again", "",
                "left most: \(Self.list(drops))", "seen again most: \(Self.list(peaks))",
            ]
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// A bar for each bucket, or for some together: as high as the part of all people that saw it.
    private static func line(_ counts: [Int64], of viewers: Int64) -> String {
        let width = min(width, counts.count)
        return String(
            (0..<width).map { column in
                let part = counts[(column * counts.count / width)..<((column + 1) * counts.count / width)]
                let mean = Double(part.reduce(0, +)) / Double(part.count * Int(max(1, viewers)))
                return mean == 0 ? " " : bars[min(bars.count - 1, Int(mean * Double(bars.count)))]
            })
    }

    private static func axis(_ duration: Int64, length: Int) -> String {
        let (start, end) = (MediaTime.text(0), MediaTime.text(duration))
        return start + String(repeating: " ", count: max(1, length - start.count - end.count)) + end
    }

    private static func list(_ places: [VideoPlace]) -> String {
        guard !places.isEmpty else { return "nowhere" }
        return places.map { "\(MediaTime.text($0.fromMs)) (\($0.viewers))" }.joined(separator: ", ")
    }
}

extension VideoViewer: ReportRow {
    static var columns: [ReportColumn] {
        [
            ReportColumn(name: "email", title: "who"),
            ReportColumn(name: "username", title: "username"),
            ReportColumn(name: "coveredMs", title: "covered"),
            ReportColumn(name: "coverage", title: ""),
            ReportColumn(name: "watchedMs", title: "watched"),
            ReportColumn(name: "resumeMs", title: "goes on at"),
            ReportColumn(name: "watchedAt", title: "last watched (UTC)"),
            ReportColumn(name: "completedAt", title: "completed (UTC)"),
        ]
    }

    var cells: [ReportCell] {
        [
            .text(viewer.email), .text(viewer.username ?? ""), .duration(progress.coveredMs),
            progress.coverage.map(ReportCell.part) ?? .text(""), .duration(progress.watchedMs),
            .duration(progress.resumeMs), progress.watchedAt.map(ReportCell.time) ?? .text(""),
            progress.completedAt.map(ReportCell.time) ?? .text(""),
        ]
    }
}
