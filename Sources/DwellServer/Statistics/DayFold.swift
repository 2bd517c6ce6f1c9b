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
        /// When it may have gone on unseen.
        package let tail: Range<Timestamp>
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
        /// The largest possible error of the visible time.
        package let visibleError: Int64
        /// The largest possible error of the engaged time.
        package let engagedError: Int64
    }

    /// The number of the content that stands for everything.
    package static let everything: Int64 = 0

    private var sums: [Int64: Sum] = [:]

    fileprivate struct Sum {
        var visible = IntervalSet()
        var engaged = IntervalSet()
        var tabs: [Tab: IntervalSet] = [:]
        /// When any segment may have gone on unseen.
        var tails = IntervalSet()
        /// When a script only said that it was there: it may have been hidden between any two beats.
        var doubtful = IntervalSet()
    }

    /// Folds pieces, in any order.
    package init(_ pieces: some Sequence<Piece>) {
        for piece in pieces {
            for content in [Self.everything] + piece.contents { sums[content, default: Sum()].add(piece) }
        }
    }

    /// The totals of each content that was seen at all, by the contents' numbers.
    package var totals: [Total] {
        sums.sorted { $0.key < $1.key }.map { content, sum in sum.total(of: content) }
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
        tails.insert(piece.tail)
        if piece.tab.isPresence { doubtful.insert(piece.interval) }
    }

    fileprivate func total(of content: Int64) -> DayFold.Total {
        DayFold.Total(
            content: content, visible: visible.milliseconds, engaged: engaged.milliseconds,
            raw: tabs.values.reduce(0) { $0 + $1.milliseconds },
            visibleError: error(of: visible), engagedError: error(of: engaged))
    }

    /// How far a union may be off: what tails would add to it, what is doubtful of it, and the clocks.
    private func error(of union: IntervalSet) -> Int64 {
        var longest = union
        for tail in tails.intervals { longest.insert(tail) }
        return longest.milliseconds - union.milliseconds + doubtful.milliseconds
            + Int64(tabs.count) * DayFold.resolution
    }
}

extension DayFold.Piece {
    /// What of a segment's row a piece is made of.
    static let columns = """
        segment.entry_id, segment.tab, segment.started_at, segment.ended_at, segment.attention, segment.unsure_ms,
        segment.page_id, segment.video_id
        """

    /// The part of a segment that lies in a window; all of it without one.
    /// - Parameter values: Of the ``columns``
    init(values: inout RowReader, within window: Range<Timestamp>? = nil) throws {
        tab = DayFold.Tab(entry: try values.next(), name: try values.next())
        let start: Timestamp = try values.next()
        let end: Timestamp = try values.next()
        interval = window.map { (start..<end).clamped(to: $0) } ?? start..<end
        attention = try values.next()
        // A tail belongs to the window that its segment ends in, even where it reaches beyond.
        let endsHere = window.map { end <= $0.upperBound } ?? true
        let unsure: Int64 = try values.next()
        tail = end..<(end + (endsHere ? unsure : 0))
        let contents: [Int64?] = [try values.next(), try values.next()]
        self.contents = contents.compactMap(\.self)
    }
}
