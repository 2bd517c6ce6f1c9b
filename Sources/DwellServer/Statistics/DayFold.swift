package import DwellAPI

/// A stretch of one viewer's time, folded from segments: a union, so that two tabs or two devices at once count once.
package struct DayFold {
    /// How exact the clocks of a tab and of the way to it are taken to be, in milliseconds.
    package static let resolution: Int64 = 1000

    /// A segment's part in it.
    package struct Piece: Sendable {
        package let tab: Tab
        package let interval: Range<Timestamp>
        package let attention: Attention
        /// The numbers of its page and its video.
        package let contents: [Int64]
        /// How far its length may be off, in milliseconds.
        package let error: Int64
    }

    /// A tab, among all of a viewer's.
    package struct Tab: Sendable, Hashable {
        package let entry: Int64
        package let name: String

        /// Whether the server made it for a script that says only that it is there.
        var isPresence: Bool { name.hasPrefix(":") }
    }

    /// Time spent on one content, in milliseconds.
    package struct Total: Sendable, Equatable {
        package let content: Int64
        package let visible: Int64
        package let engaged: Int64
        /// The sum over tabs, each counted by itself.
        package let raw: Int64
        /// The largest possible error of the visible and of the engaged time.
        package let error: Int64
    }

    /// The number of the content that stands for everything.
    package static let everything: Int64 = 0

    private var sums: [Int64: Sum] = [:]

    fileprivate struct Sum {
        var visible = IntervalSet()
        var engaged = IntervalSet()
        var tabs: [Tab: IntervalSet] = [:]
        var error: Int64 = 0
    }

    /// Folds pieces, in any order.
    package init(_ pieces: some Sequence<Piece>) {
        for piece in pieces {
            for content in [Self.everything] + piece.contents { sums[content, default: Sum()].add(piece) }
        }
    }

    /// The totals of each content that was seen at all, by the contents' numbers.
    package var totals: [Total] {
        sums.sorted { $0.key < $1.key }.compactMap { content, sum in
            sum.visible.milliseconds > 0 ? sum.total(of: content) : nil
        }
    }

    /// What all of it comes to, even when that is nothing.
    package var total: Total {
        (sums[Self.everything] ?? Sum()).total(of: Self.everything)
    }

    /// When anything was visible.
    package var visible: IntervalSet { sums[Self.everything]?.visible ?? IntervalSet() }
}

extension DayFold.Sum {
    fileprivate mutating func add(_ piece: DayFold.Piece) {
        visible.insert(piece.interval)
        if piece.attention == .active { engaged.insert(piece.interval) }
        tabs[piece.tab, default: IntervalSet()].insert(piece.interval)
        error += piece.error
    }

    fileprivate func total(of content: Int64) -> DayFold.Total {
        DayFold.Total(
            content: content, visible: visible.milliseconds, engaged: engaged.milliseconds,
            raw: tabs.values.reduce(0) { $0 + $1.milliseconds },
            error: error + Int64(tabs.count) * DayFold.resolution)
    }
}

extension DayFold.Piece {
    /// The part of a segment that lies in a window; all of it without one.
    /// - Parameter row: `entry_id`, `tab`, `started_at`, `ended_at`, `attention`, `unsure_ms`, `page_id`, `video_id`
    init(row: Row, within window: Range<Timestamp>? = nil) throws {
        let start: Timestamp = try row["started_at"]
        let end: Timestamp = try row["ended_at"]
        let contents: [Int64?] = [try row["page_id"], try row["video_id"]]
        tab = DayFold.Tab(entry: try row["entry_id"], name: try row["tab"])
        interval = window.map { (start..<end).clamped(to: $0) } ?? start..<end
        attention = try row["attention"]
        self.contents = contents.compactMap(\.self)
        let endsHere = window.map { end <= $0.upperBound } ?? true
        // A script that only says that it is there may have been hidden between any two beats.
        let doubtful = tab.isPresence ? interval.upperBound - interval.lowerBound : 0
        error = doubtful + (endsHere ? try row["unsure_ms"] : 0)
    }
}
