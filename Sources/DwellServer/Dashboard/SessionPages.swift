import DwellAPI

/// A list of sessions.
struct SessionList {
    let rows: [Row]
    let isEmpty: Bool
    /// Why there is nothing.
    let reason: String
    /// Where the next page is.
    let next: String?

    struct Row {
        let id: Int64
        let path: String
        let person: ShownPerson
        let start: ShownTime
        let end: ShownTime
        let isOpen: Bool
        let visible: ShownDuration
        let engaged: ShownDuration
    }

    /// - Parameters:
    ///   - path: Of the page that the list is on, with all but the cursor of its query
    ///   - reason: Why there is nothing, where there is nothing
    init(_ page: SessionPage, on path: String, reason: String = "No session yet.", days: LocalDays) {
        isEmpty = page.sessions.isEmpty
        self.reason = reason
        next = page.nextCursor.map { "\(path)\(path.contains("?") ? "&" : "?")cursor=\($0)" }
        rows = page.sessions.map { session in
            Row(
                id: session.id, path: "/dashboard/sessions/\(session.id)", person: ShownPerson(session.viewer),
                start: ShownTime(session.sessionStartTime, days), end: ShownTime(session.sessionEndTime, days),
                isOpen: !session.closed,
                visible: ShownDuration(session.visibleMs, error: session.visibleErrorMs),
                engaged: ShownDuration(session.engagedMs, error: session.engagedErrorMs))
        }
    }
}

/// A session, and everything that its figures rest on.
struct EvidencePage {
    let id: Int64
    let person: ShownPerson
    let identity: String?
    let gate: String?
    let start: ShownTime
    let end: ShownTime
    let isOpen: Bool
    let elapsed: ShownDuration
    let visible: ShownDuration
    let engaged: ShownDuration
    let refused: [String]
    let devices: [String]
    /// When its segments were folded.
    let folded: ShownTime?
    let timeline: Timeline?
    let segments: [SegmentRow]
    let gaps: [GapRow]
    /// How many segments are not in the table.
    let left: String?

    /// A session of days may have thousands of segments: the table has the first of them, the timeline all.
    private static let tableLimit = 500

    struct SegmentRow {
        let start: ShownTime
        let length: ShownDuration
        let tab: String
        let attention: String
        let ended: String
        let content: String
        let beats: Int
    }

    struct GapRow {
        let start: ShownTime
        let length: String
        let reason: String
    }

    init(_ evidence: SessionEvidence, days: LocalDays) {
        let session = evidence.session
        id = session.id
        person = ShownPerson(session.viewer)
        identity = session.identity?.rawValue
        gate = session.gate
        start = ShownTime(session.sessionStartTime, days)
        end = ShownTime(session.sessionEndTime, days)
        isOpen = !session.closed
        elapsed = ShownDuration(session.elapsedMs, error: session.elapsedErrorMs)
        visible = ShownDuration(session.visibleMs, error: session.visibleErrorMs)
        engaged = ShownDuration(session.engagedMs, error: session.engagedErrorMs)
        refused = [
            (evidence.refused.beforeSessionMs, "before the session"), (evidence.refused.futureMs, "in the future"),
            (evidence.refused.mediaMs, "of media time beyond the clock"),
        ].filter { $0.0 > 0 }.map { "\(ReportCell.duration($0.0).readable) \($0.1)" }
        devices = evidence.devices.map { "\($0.deviceName), \($0.deviceOS)" }
        folded = evidence.foldedTime.map { ShownTime($0, days) }
        timeline = Timeline(evidence)
        segments = evidence.segments.prefix(Self.tableLimit).map { segment in
            SegmentRow(
                start: ShownTime(segment.start, days), length: ShownDuration(segment.lengthMs, error: segment.unsureMs),
                tab: segment.tab, attention: segment.attention.rawValue, ended: segment.ended?.rawValue ?? "",
                content: segment.video ?? segment.page ?? "", beats: segment.beats)
        }
        gaps = evidence.gaps.prefix(Self.tableLimit).map { gap in
            GapRow(
                start: ShownTime(gap.start, days), length: ReportCell.duration(gap.lengthMs).readable,
                reason: gap.reason.rawValue)
        }
        let more = evidence.segments.count - segments.count
        left = more > 0 ? "\(more)" : nil
    }
}

/// A session drawn from left to right: a lane for each tab, and one for what was not seen.
struct Timeline {
    let label: String
    let width = Timeline.width
    let height: Int
    let bars: [Bar]

    struct Bar {
        let x: Int
        let y: Int
        let width: Int
        /// What was active is higher than what was idle: colours alone do not tell them apart.
        let height: Int
        /// `active`, `idle` or `gap`.
        let kind: String
        let title: String
    }

    private static let width = 1000
    private static let lane = 20
    /// More tabs than these share the last lane.
    private static let laneLimit = 8

    /// - Returns: `nil` when there is nothing to draw
    init?(_ evidence: SessionEvidence) {
        let session = evidence.session
        let length = session.elapsedMs
        guard length > 0, !evidence.segments.isEmpty else { return nil }
        func place(_ time: Timestamp) -> Int {
            Int(Double(min(max(time - session.sessionStartTime, 0), length)) / Double(length) * Double(Self.width))
        }
        func bar(_ start: Timestamp, _ end: Timestamp, lane: Int, _ kind: String, _ title: String) -> Bar {
            // What there was must be seen, however short it is.
            let height = kind == Attention.active.rawValue ? 14 : 7
            return Bar(
                x: place(start), y: lane * Self.lane + 14 - height, width: max(place(end) - place(start), 1),
                height: height, kind: kind, title: title)
        }
        var lanes: [String: Int] = [:]
        let segments = evidence.segments.map { segment in
            let lane = lanes[segment.tab] ?? min(lanes.count, Self.laneLimit - 1)
            lanes[segment.tab] = lane
            return bar(
                segment.start, segment.end, lane: lane, segment.attention.rawValue,
                "\(ReportCell.duration(segment.lengthMs).readable) \(segment.attention.rawValue), \(segment.video ?? segment.page ?? "")"
            )
        }
        let last = min(lanes.count, Self.laneLimit)
        let gaps = evidence.gaps.map { gap in
            bar(
                gap.start, gap.end, lane: last, "gap",
                "\(ReportCell.duration(gap.lengthMs).readable) not seen: \(gap.reason.rawValue)")
        }
        bars = segments + gaps
        height = (last + 1) * Self.lane
        label =
            "\(segments.count) segments on \(lanes.count) tabs and \(gaps.count) gaps in \(ReportCell.duration(length).readable)"
    }
}
