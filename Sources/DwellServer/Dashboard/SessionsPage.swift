import DwellAPI

/// Which sessions the form asks for.
struct AskedSessions {
    var person = ""
    var page = ""
    var video = ""
    /// The first day and the last, such as `2026-11-21`.
    var from = ""
    var through = ""
    private var cursor: SessionCursor?

    /// - Throws: ``InvalidField``
    init(_ parameters: some Sequence<(name: String, value: String)>) throws(InvalidField) {
        // A form sends fields that were left empty too.
        for (name, value) in parameters where !value.isEmpty {
            switch name {
            case "person": person = value
            case "page": page = value
            case "video": video = value
            case "from": from = value
            case "through": through = value
            case "cursor": cursor = try DashboardRoutes.cursor(value)
            default: throw InvalidField(name, expected: "person, page, video, from, through or cursor")
            }
        }
    }

    private var fields: [(name: String, value: String)] {
        [("person", person), ("page", page), ("video", video), ("from", from), ("through", through)]
            .filter { !$0.1.isEmpty }
    }

    var isEmpty: Bool { fields.isEmpty }

    /// The page, with all but the cursor of its query.
    var path: String {
        let query = fields.map { "\($0.name)=\(ShownPerson.coded($0.value))" }.joined(separator: "&")
        return "/dashboard/sessions\(query.isEmpty ? "" : "?\(query)")"
    }

    /// - Throws: ``InvalidField``
    func filter(_ days: LocalDays, limit: Int) throws(InvalidField) -> SessionFilter {
        var filter = SessionFilter()
        (filter.cursor, filter.limit) = (cursor, limit)
        if person.contains("@") {
            filter.email = try EmailAddress.normalize(person)
        } else if !person.isEmpty {
            filter.username = person
        }
        filter.page = page.isEmpty ? nil : page
        filter.video = video.isEmpty ? nil : video
        filter.from = try Self.day(from, "from").map { days.range(of: $0).lowerBound }
        filter.to = try Self.day(through, "through").map { days.range(of: $0).upperBound }
        return filter
    }

    private static func day(_ text: String, _ field: String) throws(InvalidField) -> Int64? {
        text.isEmpty ? nil : try ReportRoutes.day(text, field: field)
    }
}

/// Sessions, and the form that picks some.
struct SessionsPage {
    let person: String
    let page: String
    let video: String
    let from: String
    let through: String
    let list: SessionList

    init(_ asked: AskedSessions, _ list: SessionList) {
        person = asked.person
        page = asked.page
        video = asked.video
        from = asked.from
        through = asked.through
        self.list = list
    }
}
