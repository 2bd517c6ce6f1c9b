import DwellAPI
import Foundation

/// Who is here now, as it fits on a screen.
struct LiveScreen {
    let page: LivePage
    let now: Timestamp
    let columns: Int
    /// `nil` has room for everybody on the page.
    var rows: Int?

    /// The lines, none longer than the screen is wide.
    var lines: [String] {
        let time = ReportCell.time(now).readable
        let head = Self.line("\(page.viewers) \(page.viewers == 1 ? "person" : "people") here", time + " UTC", columns)
        guard !page.sessions.isEmpty else { return [head] }
        let isAll: Bool
        let shown: ArraySlice<LiveSession>
        // The head, a blank line and the titles; and, where there are more, the line that says so.
        if let rows, page.sessions.count > max(0, rows - 3) || page.nextCursor != nil {
            shown = page.sessions.prefix(max(0, rows - 4))
            isAll = false
        } else {
            shown = page.sessions[...]
            isAll = page.nextCursor == nil
        }
        let titles = line(who: "who", on: "on", since: "here for", seen: "seen")
        let table = shown.map { session in
            line(
                who: session.viewer.username ?? session.viewer.email, on: session.video ?? session.page ?? "",
                since: ReportCell.duration(now - session.since).readable,
                seen: "\(max(0, (now - session.lastSeenTime) / 1000)) s ago")
        }
        let end = isAll ? [] : ["`dwell live` lists everybody."]
        return ([head, "", titles] + table + end).map { String($0.prefix(columns)) }
    }

    private func line(who: String, on: String, since: String, seen: String) -> String {
        let (sinceWidth, seenWidth) = (10, 9)
        let room = max(0, columns - sinceWidth - seenWidth - 2)
        let whoWidth = room / 2
        return Self.fitted(ReportCell.text(who).readable, whoWidth) + "  "
            + Self.fitted(ReportCell.text(on).readable, room - whoWidth)
            + Self.right(since, sinceWidth) + Self.right(seen, seenWidth)
    }

    private static func line(_ left: String, _ right: String, _ width: Int) -> String {
        fitted(left, max(0, width - right.count)) + String(right.suffix(width))
    }

    private static func fitted(_ text: String, _ width: Int) -> String {
        let whole = text.count <= width ? text : String(text.prefix(max(0, width - 1))) + "…"
        return String((whole + String(repeating: " ", count: max(0, width - whole.count))).prefix(width))
    }

    private static func right(_ text: String, _ width: Int) -> String {
        let whole = String(text.suffix(width))
        return String(repeating: " ", count: width - whole.count) + whole
    }
}
