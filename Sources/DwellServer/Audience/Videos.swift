package import DwellAPI

/// Reads back what was watched of videos.
package struct Videos: Sendable {
    /// The most videos, or viewers, of one page.
    package static let pageLimit = 200

    private let database: any Database

    package init(database: any Database) {
        self.database = database
    }

    /// A page of videos.
    /// - Parameter last: The number of the last video of the page before
    package func list(after last: Int64 = 0, limit: Int = Videos.pageLimit) async throws -> VideoPage {
        try await database.read { connection in
            let found = try VideoQueries(connection: connection).videos(after: last, limit: limit + 1)
            let page = found.prefix(limit)
            return VideoPage(
                videos: page.map { $0.video.record($0.name) },
                nextCursor: found.count > page.count ? page.last.map { VideoCursor.text(of: $0.video.id) } : nil)
        }
    }

    /// A video's audience; `nil` when there is no such video.
    package func audience(of name: String) async throws -> VideoAudience? {
        try await database.read { connection in
            guard let video = try VideoQueries(connection: connection).video(name) else { return nil }
            let curve = video.totals.curve
            let length = video.buckets?.length
            func places(_ found: [(bucket: Int, viewers: Int64)]) -> [VideoPlace] {
                found.map { VideoPlace(fromMs: Int64($0.bucket) * (length ?? 0), viewers: $0.viewers) }
            }
            return VideoAudience(
                video: video.record(name), counting: video.markedTo != nil, bucketMs: length, curve: curve.viewers,
                again: curve.again, drops: places(curve.drops(atMost: 3)), peaks: places(curve.peaks(atMost: 3)))
        }
    }

    /// A page of those who watched a video; `nil` when there is no such video.
    /// - Parameter last: The number of the last viewer of the page before
    package func viewers(
        of name: String, email: String? = nil, username: String? = nil, after last: Int64 = 0,
        limit: Int = Videos.pageLimit
    ) async throws -> VideoViewerPage? {
        try await database.read { connection in
            let queries = VideoQueries(connection: connection)
            guard let video = try queries.video(name) else { return nil }
            let named = try ReportQueries(connection: connection).viewers(email: email, username: username)
            let found =
                if let named {
                    try named.filter { $0 > last }.flatMap { try queries.viewer($0, of: video.id) }
                } else {
                    try queries.viewers(of: video.id, after: last, limit: limit + 1)
                }
            let page = found.prefix(limit)
            return VideoViewerPage(
                viewers: page.map { viewer, stored in
                    VideoViewer(viewer: viewer, progress: VideoProgress(name, video.duration, stored))
                }, nextCursor: found.count > page.count ? page.last.map { VideoCursor.text(of: $0.viewer.id) } : nil)
        }
    }

    /// What people watched, the latest first.
    package func watched(by viewers: [Int64], limit: Int = Videos.pageLimit) async throws -> [VideoProgress] {
        try await database.read { connection in
            let queries = VideoQueries(connection: connection)
            let found = try viewers.flatMap { try queries.watched(by: $0, limit: limit) }
            return try found.sorted { $0.1.watchedAt > $1.1.watchedAt }.prefix(limit).map { name, stored in
                VideoProgress(name, try queries.video(name)?.duration, stored)
            }
        }
    }

    /// All that viewers watched, each the latest first.
    func watched(by viewers: [Int64]) async throws -> [VideoViewer] {
        try await database.read { connection in
            let queries = VideoQueries(connection: connection)
            return try ArchiveQueries(connection: connection).people(viewers).flatMap { person in
                try queries.watched(by: person.viewer.id, limit: .max).map { name, stored in
                    VideoViewer(
                        viewer: person.viewer,
                        progress: VideoProgress(name, try queries.video(name)?.duration, stored))
                }
            }
        }
    }

    /// What a person watched of a video, from the segments that are stored now.
    package func progress(of name: String, viewer: Int64) async throws -> VideoProgress {
        try await database.read { connection in
            guard let video = try VideoQueries(connection: connection).video(name) else {
                return VideoProgress(name, nil, nil)
            }
            let queries = AudienceQueries(connection: connection)
            let rate = try queries.creditRate() ?? Audience.creditRate
            let computed = try queries.computed([ViewerVideo(viewer: viewer, video: video.id)], rate)
            return VideoProgress(name, video.duration, computed[0].coverage)
        }
    }

    /// The number of a video; `nil` when there is none of that name.
    package func number(of name: String) async throws -> Int64? {
        try await database.read { try ReportQueries(connection: $0).content(.video, name) }
    }
}

/// A place in a list that goes by numbers.
package enum VideoCursor {
    package static func text(of number: Int64) -> String { String(number, radix: 36) }

    /// - Returns: `nil` for what ``text(of:)`` did not give
    package static func number(_ text: String) -> Int64? {
        Int64(text, radix: 36).flatMap { self.text(of: $0) == text ? $0 : nil }
    }
}

extension Video {
    fileprivate func record(_ name: String) -> VideoRecord {
        let whole = duration.map { Double($0 * totals.viewers) }
        return VideoRecord(
            name: name, durationMs: duration, completeAt: completeAt ?? Self.completeAt, viewers: totals.viewers,
            starts: totals.curve.viewers.first, finishes: totals.curve.viewers.last, completions: totals.completions,
            coverage: whole.flatMap { $0 > 0 ? Double(totals.covered) / $0 : nil }, watchedMs: totals.watched)
    }
}

extension VideoProgress {
    /// - Parameters:
    ///   - duration: How long the video is, in milliseconds
    ///   - stored: `nil` when it never was watched
    fileprivate init(_ name: String, _ duration: Int64?, _ stored: StoredCoverage?) {
        let coverage = (stored?.coverage ?? Coverage()).clipped(to: duration)
        self.init(
            video: name, durationMs: duration, resumeMs: stored?.resume ?? 0, coveredMs: coverage.covered,
            coverage: duration.map { Double(coverage.covered) / Double($0) }, watchedMs: coverage.watched,
            timesThrough: duration.map { Double(coverage.watched) / Double($0) }, watchedAt: stored?.watchedAt,
            completedAt: stored?.completedAt, ranges: coverage.ranges().map(MediaSpan.init),
            rewatched: coverage.ranges(playedAtLeast: 2).map(MediaSpan.init))
    }
}

extension MediaSpan {
    fileprivate init(_ range: Range<Int64>) {
        self.init(fromMs: range.lowerBound, toMs: range.upperBound)
    }
}
