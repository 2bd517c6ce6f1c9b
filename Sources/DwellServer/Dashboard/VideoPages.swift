import DwellAPI
import Foundation

/// A list of videos.
struct VideoList {
    let rows: [Row]
    let isEmpty: Bool
    /// Where the next page is.
    let next: String?

    struct Row {
        let name: String
        let path: String
        let length: String
        let viewers: Int64
        let completions: Int64
        let coverage: String
        let watched: String
    }

    init(_ page: VideoPage) {
        isEmpty = page.videos.isEmpty
        next = page.nextCursor.map { "/dashboard/videos?cursor=\($0)" }
        rows = page.videos.map { video in
            Row(
                name: video.name, path: "/dashboard/video?name=\(ShownPerson.coded(video.name))",
                length: video.durationMs.map(MediaTime.text) ?? "unknown", viewers: video.viewers,
                completions: video.completions, coverage: video.coverage.map { ReportCell.part($0).readable } ?? "",
                watched: ReportCell.duration(video.watchedMs).readable)
        }
    }
}

/// A video's audience.
struct AudiencePage {
    let isCounting: Bool
    let figures: [Figure]
    let curve: AudienceCurve?
    let drops: [String]
    let peaks: [String]
    let rows: [Row]
    /// Where the next page of people is.
    let next: String?

    struct Figure {
        let title: String
        let value: String
        let note: String?
    }

    struct Row {
        let person: ShownPerson
        let progress: ShownProgress
    }

    init(_ audience: VideoAudience, viewers: VideoViewerPage, days: LocalDays) {
        let video = audience.video
        isCounting = audience.counting
        let part = ReportCell.part(video.completeAt).readable
        figures = [
            Figure(
                title: "People", value: "\(video.viewers)",
                note: video.starts.map { "\($0) saw its beginning, \(video.finishes ?? 0) its end" }),
            Figure(title: "Completions", value: "\(video.completions)", note: "with \(part) of it"),
            Figure(
                title: "Coverage", value: video.coverage.map { ReportCell.part($0).readable } ?? "unknown",
                note: "of it on average"),
            Figure(
                title: "Watched", value: ReportCell.duration(video.watchedMs).readable,
                note: video.durationMs.map { "it is \(MediaTime.text($0)) long" }),
        ]
        curve = AudienceCurve(audience)
        func list(_ places: [VideoPlace]) -> [String] {
            places.map { "\(MediaTime.text($0.fromMs)): \($0.viewers)" }
        }
        drops = list(audience.drops)
        peaks = list(audience.peaks)
        rows = viewers.viewers.map {
            Row(person: ShownPerson($0.viewer), progress: ShownProgress($0.progress, days))
        }
        next = viewers.nextCursor.map { "/dashboard/video?name=\(ShownPerson.coded(video.name))&cursor=\($0)" }
    }
}

/// What one person watched of one video.
struct ShownProgress {
    let coverage: String
    let covered: String
    let watched: String
    let lastWatched: ShownTime?
    let completed: ShownTime?
    /// What is drawn, for those who do not see it.
    let label: String
    let spans: [Span]

    /// A stretch of the video, in thousandths of its length.
    struct Span {
        let x: Int
        let width: Int
    }

    init(_ progress: VideoProgress, _ days: LocalDays) {
        coverage = progress.coverage.map { ReportCell.part($0).readable } ?? ""
        covered = ReportCell.duration(progress.coveredMs).readable
        watched = ReportCell.duration(progress.watchedMs).readable
        lastWatched = progress.watchedAt.map { ShownTime($0, days) }
        completed = progress.completedAt.map { ShownTime($0, days) }
        label = "Watched \(coverage.isEmpty ? covered : coverage) in \(progress.ranges.count) parts"
        guard let duration = progress.durationMs, duration > 0 else {
            spans = []
            return
        }
        spans = progress.ranges.map { range in
            let (start, end) = (Int(range.fromMs * 1000 / duration), Int(range.toMs * 1000 / duration))
            // What was watched must be seen, however short it is.
            return Span(x: start, width: max(end - start, 2))
        }
    }
}

/// How many people saw each part of a video, and how many saw it again.
struct AudienceCurve {
    let label: String
    let width: Int
    let height = AudienceCurve.height
    /// The outline of each, as a polygon's points.
    let seen: String
    let again: String
    /// Times along the curve.
    let marks: [Mark]
    let top: String
    let rows: [Row]

    struct Row {
        let from: String
        let viewers: Int64
        let again: Int64
    }

    /// A time, in percent of the video's length.
    struct Mark {
        let x: String
        let text: String
        /// Where the text is, seen from its place.
        let anchor: String
    }

    private static let height = 100

    /// - Returns: `nil` while nobody knows how long the video is
    init?(_ audience: VideoAudience) {
        guard let length = audience.bucketMs, let duration = audience.video.durationMs, !audience.curve.isEmpty else {
            return nil
        }
        let highest = max(audience.curve.max() ?? 0, 1)
        width = audience.curve.count
        func outline(_ counts: [Int64]) -> String {
            let steps = counts.enumerated().map { index, count in
                let y = Self.height - Int(count * Int64(Self.height) / highest)
                return "\(index),\(y) \(index + 1),\(y)"
            }
            return (["0,\(Self.height)"] + steps + ["\(counts.count),\(Self.height)"]).joined(separator: " ")
        }
        seen = outline(audience.curve)
        again = outline(audience.again)
        marks = Self.marks(duration)
        top = "\(highest) \(highest == 1 ? "person" : "people")"
        label = "How many people saw each part of \(MediaTime.text(duration)), at most \(highest)"
        rows = zip(audience.curve, audience.again).enumerated().map { index, counts in
            Row(from: MediaTime.text(Int64(index) * length), viewers: counts.0, again: counts.1)
        }
    }

    /// The beginning, the end, and round times between them, as many as a phone has room for.
    private static func marks(_ duration: Int64) -> [Mark] {
        let seconds: [Int64] = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 86_400]
        let step = (seconds.first { duration / ($0 * 1000) < 5 } ?? 604_800) * 1000
        // One that is near the end would lie on it.
        let between = stride(from: step, to: duration - step / 2, by: Int64.Stride(step)).map { time in
            Mark(
                x: String(format: "%.2f%%", Double(time) / Double(duration) * 100), text: MediaTime.text(time),
                anchor: "middle")
        }
        return [Mark(x: "0%", text: MediaTime.text(0), anchor: "start")] + between
            + [Mark(x: "100%", text: MediaTime.text(duration), anchor: "end")]
    }
}
