import DwellAPI

/// Who is here now.
struct NowPage {
    /// How many people.
    let count: Int
    let noun: String
    let sessions: [Row]
    /// How many sessions are not listed.
    let more: String?
    let isEmpty: Bool

    struct Row {
        let path: String
        let person: ShownPerson
        /// The page or the video.
        let content: String
        let kind: String
        let since: ShownTime
        /// Such as `12 min`.
        let length: String
    }

    init(_ page: LivePage, days: LocalDays, now: Timestamp) {
        count = page.viewers
        noun = page.viewers == 1 ? "person is here" : "people are here"
        isEmpty = page.sessions.isEmpty
        more = page.nextCursor == nil ? nil : "\(page.sessions.count)"
        sessions = page.sessions.map { session in
            Row(
                path: "/dashboard/sessions/\(session.id)", person: ShownPerson(session.viewer),
                content: session.video ?? session.page ?? "", kind: session.video == nil ? "page" : "video",
                since: ShownTime(session.since, days), length: "\((now - session.since) / 60_000) min")
        }
    }
}
