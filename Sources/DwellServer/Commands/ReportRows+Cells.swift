import DwellAPI

extension SessionRecord: ReportRow {
    static var columns: [ReportColumn] {
        [
            ReportColumn(name: "id", title: "session"),
            ReportColumn(name: "emailOfAccessor", title: "who"),
            ReportColumn(name: "username", title: "username"),
            ReportColumn(name: "video", title: "video"),
            ReportColumn(name: "sessionStartTime", title: "start (UTC)"),
            ReportColumn(name: "sessionEndTime", title: "last seen (UTC)"),
            ReportColumn(name: "elapsedMs", title: "elapsed"),
            ReportColumn(name: "visibleMs", title: "visible"),
            ReportColumn(name: "engagedMs", title: "engaged"),
        ]
    }

    var cells: [ReportCell] {
        [
            .number(id), .text(emailOfAccessor), .text(viewer.username ?? ""), .text(video ?? ""),
            .time(sessionStartTime), .time(sessionEndTime), .duration(elapsedMs), .duration(visibleMs),
            .duration(engagedMs),
        ]
    }
}

extension ViewerTotal: ReportRow {
    static var columns: [ReportColumn] {
        [
            ReportColumn(name: "email", title: "who"),
            ReportColumn(name: "username", title: "username"),
            ReportColumn(name: "sessions", title: "sessions"),
            ReportColumn(name: "elapsedMs", title: "elapsed"),
            ReportColumn(name: "visibleMs", title: "visible"),
            ReportColumn(name: "engagedMs", title: "engaged"),
        ]
    }

    var cells: [ReportCell] {
        [
            .text(email), .text(username ?? ""), .number(Int64(sessions)), .duration(elapsedMs),
            .duration(visibleMs), .duration(engagedMs),
        ]
    }
}

extension DayTotal: ReportRow {
    static var columns: [ReportColumn] {
        [
            ReportColumn(name: "day", title: "day"),
            ReportColumn(name: "viewers", title: "people"),
            ReportColumn(name: "visibleMs", title: "visible"),
            ReportColumn(name: "engagedMs", title: "engaged"),
        ]
    }

    var cells: [ReportCell] {
        [.text(day), .number(Int64(viewers)), .duration(visibleMs), .duration(engagedMs)]
    }
}

extension VideoTotal: ReportRow {
    static var columns: [ReportColumn] {
        [
            ReportColumn(name: "video", title: "video"),
            ReportColumn(name: "viewers", title: "people"),
            ReportColumn(name: "visibleMs", title: "visible"),
            ReportColumn(name: "engagedMs", title: "engaged"),
        ]
    }

    var cells: [ReportCell] {
        [.text(video), .number(Int64(viewers)), .duration(visibleMs), .duration(engagedMs)]
    }
}
