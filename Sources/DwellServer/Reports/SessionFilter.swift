package import DwellAPI

/// Which sessions are asked for.
package struct SessionFilter: Sendable {
    /// The most sessions of one page.
    package static let pageLimit = 200

    /// The numbers of people; who is named by these is not looked for by other names.
    package var viewers: [Int64]?
    package var email: String?
    package var username: String?
    /// A page's path that the session was seen on.
    package var page: String?
    /// A video that the session was opened for, or that was played in it.
    package var video: String?
    /// Sessions that began at this time or later.
    package var from: Timestamp?
    /// Sessions that began before this time.
    package var to: Timestamp?
    /// Where the page before ended.
    package var cursor: SessionCursor?
    package var limit = 50

    package init() {}

    /// Whether a segment is of the page and the video that are asked for.
    func isMet(by segment: SegmentRecord) -> Bool {
        (page == nil || segment.page == page) && (video == nil || segment.video == video)
    }
}

/// A place in the list of sessions, newest first.
package struct SessionCursor: Sendable, Equatable {
    let startedAt: Timestamp
    let id: Int64

    init(startedAt: Timestamp, id: Int64) {
        self.startedAt = startedAt
        self.id = id
    }

    /// The cursor that a page ended with.
    /// - Parameter text: As ``text`` gave it; `nil` comes back for anything else
    package init?(_ text: String) {
        let numbers = text.split(separator: "-").compactMap { Int64($0, radix: 36) }
        guard numbers.count == 2, text == "\(String(numbers[0], radix: 36))-\(String(numbers[1], radix: 36))"
        else { return nil }
        self.init(startedAt: Timestamp(milliseconds: numbers[0]), id: numbers[1])
    }

    /// The form for URLs; what it holds is nobody's business.
    package var text: String {
        "\(String(startedAt.milliseconds, radix: 36))-\(String(id, radix: 36))"
    }
}
