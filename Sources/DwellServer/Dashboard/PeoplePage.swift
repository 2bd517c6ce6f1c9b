import DwellAPI

/// A list of people.
struct PeoplePage {
    /// What is searched for.
    let text: String
    let isSearch: Bool
    let rows: [Row]
    let isEmpty: Bool
    /// Why there is nothing.
    let reason: String
    /// Where the next page is.
    let next: String?

    struct Row {
        let person: ShownPerson
        /// Where it is not the name.
        let email: String?
        let kind: String
        let lastSeen: ShownTime?
        let sessions: Int
        let engaged: ShownDuration
    }

    /// - Parameter isFirst: Whether no page came before
    init(_ page: ViewerPage, text: String, isFirst: Bool, days: LocalDays) {
        self.text = text
        isSearch = !text.isEmpty
        isEmpty = page.viewers.isEmpty
        reason =
            text.isEmpty
            ? "Nobody came yet. People are listed as soon as they enter a gate, or register."
            : "Nobody\(isFirst ? "" : " else")’s email or username begins like this."
        next = page.nextCursor.map { "/dashboard/people?q=\(ShownPerson.coded(text))&cursor=\($0)" }
        rows = page.viewers.map { summary in
            Row(
                person: ShownPerson(summary.viewer),
                email: summary.viewer.username == nil ? nil : summary.viewer.email,
                kind: summary.viewer.kind.rawValue, lastSeen: summary.lastSeenTime.map { ShownTime($0, days) },
                sessions: summary.sessions,
                engaged: ShownDuration(summary.total.engagedMs, error: summary.total.engagedErrorMs))
        }
    }
}
