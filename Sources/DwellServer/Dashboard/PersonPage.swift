import DwellAPI

/// What one person did.
struct PersonPage {
    let name: String
    /// Where it is not the name.
    let email: String?
    /// Such as `guest`.
    let kind: String
    let since: ShownTime
    let lastSeen: ShownTime?
    let sessions: Int
    let elapsed: ShownDuration
    let visible: ShownDuration
    let engaged: ShownDuration
    let chart: DayChart
    let day: PersonDay
    let videos: [Video]
    let hasVideos: Bool
    let devices: [Device]
    let hasDevices: Bool
    let list: SessionList
    let rights: PersonRights

    struct Video {
        let name: String
        let path: String
        let progress: ShownProgress
    }

    struct Device {
        let name: String
        /// What was done on it.
        let path: String
    }

    /// - Parameters:
    ///   - summaries: Of everybody who is meant: an email may be a guest's and an account's
    ///   - day: The day whose segments are shown
    init(
        _ summaries: [ViewerSummary], chart: DayChart, day: PersonDay, videos: [VideoProgress],
        devices: [DwellServer.Device], list: SessionList, rights: PersonRights, _ days: LocalDays
    ) {
        let viewer = summaries[0].viewer
        name = viewer.username ?? viewer.email
        email = viewer.username == nil ? nil : viewer.email
        kind = Set(summaries.map(\.viewer.kind.rawValue)).sorted().joined(separator: " and ")
        since = ShownTime(summaries.map(\.createdTime).min() ?? summaries[0].createdTime, days)
        lastSeen = summaries.compactMap(\.lastSeenTime).max().map { ShownTime($0, days) }
        sessions = summaries.map(\.sessions).reduce(0, +)
        func sum(_ value: KeyPath<ViewerSummary, Int64>, _ error: KeyPath<ViewerSummary, Int64>) -> ShownDuration {
            ShownDuration(
                summaries.map { $0[keyPath: value] }.reduce(0, +),
                error: summaries.map { $0[keyPath: error] }.reduce(0, +))
        }
        elapsed = sum(\.elapsedMs, \.elapsedErrorMs)
        visible = sum(\.total.visibleMs, \.total.visibleErrorMs)
        engaged = sum(\.total.engagedMs, \.total.engagedErrorMs)
        self.chart = chart
        self.day = day
        self.videos = videos.map { video in
            Video(
                name: video.video, path: "/dashboard/video?name=\(ShownPerson.coded(video.video))",
                progress: ShownProgress(video, days))
        }
        hasVideos = !videos.isEmpty
        self.devices = devices.map { Device(name: "\($0.name), \($0.os)", path: $0.overviewPath) }
        hasDevices = !devices.isEmpty
        self.list = list
        self.rights = rights
    }
}
