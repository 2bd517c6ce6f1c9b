import DwellAPI
internal import FoundationInternationalization

extension SessionRecord: ReportRow {
    static var columns: [ReportColumn] {
        [
            ReportColumn(name: "id", title: "session"),
            ReportColumn(name: "emailOfAccessor", title: "who"),
            ReportColumn(name: "username", title: "username"),
            ReportColumn(name: "identity", title: "email"),
            ReportColumn(name: "gate", title: "gate"),
            ReportColumn(name: "video", title: "video"),
            ReportColumn(name: "sessionStartTime", title: "start (UTC)"),
            ReportColumn(name: "sessionEndTime", title: "last seen (UTC)"),
        ] + ReportColumn.elapsed + ReportColumn.visibleAndEngaged
    }

    var cells: [ReportCell] {
        [
            .number(id), .text(emailOfAccessor), .text(viewer.username ?? ""), .text(identity?.rawValue ?? ""),
            .text(gate ?? ""), .text(video ?? ""), .time(sessionStartTime), .time(sessionEndTime), .duration(elapsedMs),
            .error(elapsedErrorMs),
            .duration(visibleMs), .error(visibleErrorMs), .duration(engagedMs), .error(engagedErrorMs),
        ]
    }
}

extension LiveSession: ReportRow {
    static var columns: [ReportColumn] {
        [
            ReportColumn(name: "id", title: "session"),
            ReportColumn(name: "email", title: "who"),
            ReportColumn(name: "username", title: "username"),
            ReportColumn(name: "page", title: "page"),
            ReportColumn(name: "video", title: "video"),
            ReportColumn(name: "since", title: "since (UTC)"),
            ReportColumn(name: "lastSeenTime", title: "last seen (UTC)"),
        ]
    }

    var cells: [ReportCell] {
        [
            .number(id), .text(viewer.email), .text(viewer.username ?? ""), .text(page ?? ""), .text(video ?? ""),
            .time(since), .time(lastSeenTime),
        ]
    }
}

extension ViewerTotal: ReportRow {
    static var columns: [ReportColumn] {
        [
            ReportColumn(name: "email", title: "who"),
            ReportColumn(name: "username", title: "username"),
            ReportColumn(name: "sessions", title: "sessions"),
        ] + ReportColumn.elapsed + ReportColumn.visibleAndEngaged + [.raw]
    }

    var cells: [ReportCell] {
        [
            .text(email), .text(username ?? ""), .number(Int64(sessions)), .duration(elapsedMs),
            .error(elapsedErrorMs), .duration(visibleMs), .error(visibleErrorMs), .duration(engagedMs),
            .error(engagedErrorMs), .duration(rawMs),
        ]
    }
}

extension DayTotal: ReportRow {
    static var columns: [ReportColumn] {
        [
            ReportColumn(name: "day", title: "day"),
            ReportColumn(name: "viewers", title: "people"),
        ] + ReportColumn.visibleAndEngaged + [.raw]
    }

    var cells: [ReportCell] {
        [
            .text(day), .number(Int64(viewers)), .duration(visibleMs), .error(visibleErrorMs), .duration(engagedMs),
            .error(engagedErrorMs), .duration(rawMs),
        ]
    }
}

extension VideoTotal: ReportRow {
    static var columns: [ReportColumn] {
        [
            ReportColumn(name: "video", title: "video"),
            ReportColumn(name: "viewers", title: "people"),
        ] + ReportColumn.visibleAndEngaged + [.raw]
    }

    var cells: [ReportCell] {
        [
            .text(video), .number(Int64(viewers)), .duration(visibleMs), .error(visibleErrorMs),
            .duration(engagedMs), .error(engagedErrorMs), .duration(rawMs),
        ]
    }
}

extension ReportColumn {
    fileprivate static let elapsed = [
        ReportColumn(name: "elapsedMs", title: "elapsed"), ReportColumn(name: "elapsedErrorMs", title: ""),
    ]
    fileprivate static let visibleAndEngaged = [
        ReportColumn(name: "visibleMs", title: "visible"), ReportColumn(name: "visibleErrorMs", title: ""),
        ReportColumn(name: "engagedMs", title: "engaged"), ReportColumn(name: "engagedErrorMs", title: ""),
    ]
    fileprivate static let raw = ReportColumn(name: "rawMs", title: "tabs added up")
}

extension SegmentRecord: ReportRow {
    static var columns: [ReportColumn] {
        [
            ReportColumn(name: "tab", title: "tab"),
            ReportColumn(name: "n", title: "n"),
            ReportColumn(name: "start", title: "start (UTC)"),
            ReportColumn(name: "lengthMs", title: "length"),
            ReportColumn(name: "unsureMs", title: ""),
            ReportColumn(name: "attention", title: "attention"),
            ReportColumn(name: "ended", title: "ended"),
            ReportColumn(name: "page", title: "page"),
            ReportColumn(name: "video", title: "video"),
            ReportColumn(name: "media", title: "media"),
            ReportColumn(name: "refusedMs", title: "refused"),
            ReportColumn(name: "beats", title: "beats"),
            ReportColumn(name: "firstBeatTime", title: "first beat (UTC)"),
            ReportColumn(name: "lastBeatTime", title: "last beat (UTC)"),
        ]
    }

    var cells: [ReportCell] {
        [
            .text(tab), .number(n), .time(start), .duration(lengthMs), .error(unsureMs),
            .text(attention.rawValue), .text(ended?.rawValue ?? ""), .text(page ?? ""), .text(video ?? ""),
            .text(media), .duration(refused.totalMs), .number(Int64(beats)), .time(firstBeatTime),
            .time(lastBeatTime),
        ]
    }

    /// Such as `12.0–27.5 s at 2×`.
    private var media: String {
        guard let from = mediaFromMs, let to = mediaToMs else { return "" }
        let seconds = [from, to].map { (Double($0) / 1000).formatted(.number.precision(.fractionLength(1))) }
        let speed = rate.map { $0 == 1 ? "" : " at \($0.formatted())×" } ?? ""
        return seconds.joined(separator: "–") + " s" + speed
    }
}

extension ExportedSegment: ReportRow {
    static var columns: [ReportColumn] {
        [
            "sessionId", "email", "username", "tab", "n", "start", "end", "lengthMs", "unsureMs", "attention", "ended",
            "page", "video", "mediaFromMs", "mediaToMs", "rate", "refusedBeforeSessionMs", "refusedFutureMs",
            "refusedMediaMs", "beats", "firstBeatTime", "lastBeatTime",
        ].map { ReportColumn(name: $0, title: $0) }
    }

    var cells: [ReportCell] {
        [
            .number(sessionId), .text(viewer.email), .text(viewer.username ?? ""), .text(segment.tab),
            .number(segment.n), .time(segment.start), .time(segment.end), .duration(segment.lengthMs),
            .error(segment.unsureMs), .text(segment.attention.rawValue), .text(segment.ended?.rawValue ?? ""),
            .text(segment.page ?? ""), .text(segment.video ?? ""),
            segment.mediaFromMs.map(ReportCell.duration) ?? .text(""),
            segment.mediaToMs.map(ReportCell.duration) ?? .text(""), .text(segment.rate.map { "\($0)" } ?? ""),
            .duration(segment.refused.beforeSessionMs), .duration(segment.refused.futureMs),
            .duration(segment.refused.mediaMs), .number(Int64(segment.beats)), .time(segment.firstBeatTime),
            .time(segment.lastBeatTime),
        ]
    }
}

extension ExportedStatistic: ReportRow {
    static var columns: [ReportColumn] {
        [
            ReportColumn(name: "day", title: "day"),
            ReportColumn(name: "email", title: "who"),
            ReportColumn(name: "username", title: "username"),
            ReportColumn(name: "kind", title: "kind"),
            ReportColumn(name: "name", title: "name"),
        ] + ReportColumn.visibleAndEngaged + [.raw]
    }

    var cells: [ReportCell] {
        [
            .text(day), .text(viewer.email), .text(viewer.username ?? ""), .text(kind?.rawValue ?? ""),
            .text(name ?? ""), .duration(total.visibleMs), .error(total.visibleErrorMs),
            .duration(total.engagedMs), .error(total.engagedErrorMs), .duration(total.rawMs),
        ]
    }
}

extension GapRecord: ReportRow {
    static var columns: [ReportColumn] {
        [
            ReportColumn(name: "start", title: "start (UTC)"),
            ReportColumn(name: "end", title: "end (UTC)"),
            ReportColumn(name: "lengthMs", title: "length"),
            ReportColumn(name: "reason", title: "why"),
        ]
    }

    var cells: [ReportCell] {
        [.time(start), .time(end), .duration(lengthMs), .text(reason.rawValue)]
    }
}

extension RefusedRecord {
    fileprivate var totalMs: Int64 { beforeSessionMs + futureMs + mediaMs }
}
