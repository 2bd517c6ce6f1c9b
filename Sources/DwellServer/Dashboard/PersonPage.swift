import DwellAPI

/// What one person did.
struct PersonPage {
    let name: String
    /// Where it is not the name.
    let email: String?
    let sessions: Int
    let elapsed: ShownDuration
    let visible: ShownDuration
    let engaged: ShownDuration
    let chart: DayChart
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
    ///   - totals: Of everybody who is meant: an email may be a guest's and an account's
    ///   - range: The days that are drawn
    init(
        _ totals: [ViewerTotal], overview: Overview, days range: ClosedRange<Int64>, videos: [VideoProgress],
        devices: [DwellServer.Device],
        list: SessionList, rights: PersonRights, _ days: LocalDays
    ) {
        name = totals[0].username ?? totals[0].email
        email = totals[0].username == nil ? nil : totals[0].email
        sessions = totals.map(\.sessions).reduce(0, +)
        func sum(_ value: KeyPath<ViewerTotal, Int64>, _ error: KeyPath<ViewerTotal, Int64>) -> ShownDuration {
            ShownDuration(
                totals.map { $0[keyPath: value] }.reduce(0, +), error: totals.map { $0[keyPath: error] }.reduce(0, +))
        }
        elapsed = sum(\.elapsedMs, \.elapsedErrorMs)
        visible = sum(\.visibleMs, \.visibleErrorMs)
        engaged = sum(\.engagedMs, \.engagedErrorMs)
        chart = DayChart(overview.days, in: range)
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
