/// What one person watched of one video: the answer to `GET /api/v1/videos/ID/progress`, and a part of others.
///
/// Media time is in milliseconds from the video's beginning.
public struct VideoProgress: Sendable, Codable, Equatable {
    public var video: String
    /// How long the video is; `null` when nobody knows, as of a live stream.
    @Nullable public var durationMs: Int64?
    /// Where to go on: 0 when it never was watched, or was watched to its end.
    public var resumeMs: Int64
    /// How much of it was watched, each moment counted once.
    public var coveredMs: Int64
    /// The part of it that was watched, from 0 to 1; `null` when nobody knows how long it is.
    @Nullable public var coverage: Double?
    /// How much of it was watched, each moment counted as often as it was played.
    public var watchedMs: Int64
    /// `watchedMs` divided by the video's length.
    @Nullable public var timesThrough: Double?
    /// When it was watched last; `null` when it never was.
    @Nullable public var watchedAt: Timestamp?
    /// When enough of it had been watched for the first time.
    @Nullable public var completedAt: Timestamp?
    /// What was watched, in order.
    public var ranges: [MediaSpan]
    /// What was watched twice or more, in order.
    public var rewatched: [MediaSpan]

    public init(
        video: String, durationMs: Int64?, resumeMs: Int64, coveredMs: Int64, coverage: Double?, watchedMs: Int64,
        timesThrough: Double?, watchedAt: Timestamp?, completedAt: Timestamp?, ranges: [MediaSpan],
        rewatched: [MediaSpan]
    ) {
        self.video = video
        self.durationMs = durationMs
        self.resumeMs = resumeMs
        self.coveredMs = coveredMs
        self.coverage = coverage
        self.watchedMs = watchedMs
        self.timesThrough = timesThrough
        self.watchedAt = watchedAt
        self.completedAt = completedAt
        self.ranges = ranges
        self.rewatched = rewatched
    }
}

/// A stretch of media time, in milliseconds from the video's beginning.
public struct MediaSpan: Sendable, Codable, Equatable {
    public var fromMs: Int64
    /// Not included.
    public var toMs: Int64

    public init(fromMs: Int64, toMs: Int64) {
        self.fromMs = fromMs
        self.toMs = toMs
    }
}

/// A video, and what those who watched it add up to.
public struct VideoRecord: Sendable, Codable, Equatable {
    public var name: String
    /// How long it is, in milliseconds: as the operator set it, or as most people's players say. `null` when nobody knows.
    @Nullable public var durationMs: Int64?
    /// The part of it that must have been watched to have completed it, above 0 and at most 1.
    public var completeAt: Double
    /// How many people watched any of it.
    public var viewers: Int64
    /// How many of them saw its beginning: the first bucket of the curve. `null` while nobody knows how long it is.
    @Nullable public var starts: Int64?
    /// How many of them saw its end: the last bucket of the curve.
    @Nullable public var finishes: Int64?
    /// How many of them completed it.
    public var completions: Int64
    /// The part of it that they watched, on average, from 0 to 1.
    @Nullable public var coverage: Double?
    /// Media time over all of them, each moment counted as often as it was played, in milliseconds.
    public var watchedMs: Int64

    public init(
        name: String, durationMs: Int64?, completeAt: Double, viewers: Int64, starts: Int64?, finishes: Int64?,
        completions: Int64, coverage: Double?, watchedMs: Int64
    ) {
        self.name = name
        self.durationMs = durationMs
        self.completeAt = completeAt
        self.viewers = viewers
        self.starts = starts
        self.finishes = finishes
        self.completions = completions
        self.coverage = coverage
        self.watchedMs = watchedMs
    }
}

/// The answer to `GET /api/v1/videos`: in the order in which they were watched first.
public struct VideoPage: Sendable, Codable, Equatable {
    public var videos: [VideoRecord]
    /// Give it back as `cursor` for the next page; `null` on the last.
    @Nullable public var nextCursor: String?

    public init(videos: [VideoRecord], nextCursor: String?) {
        self.videos = videos
        self.nextCursor = nextCursor
    }
}

/// The answer to `GET /api/v1/videos/ID`: a video's audience, at most a second old.
///
/// The curve is cut into buckets of whole seconds, at most 1,000; a bucket was seen by whoever watched at least half of
/// it. There is none while nobody knows how long the video is.
public struct VideoAudience: Sendable, Codable, Equatable {
    public var video: VideoRecord
    /// Whether the figures are being counted anew, because the video's length or what is asked of it has changed: they
    /// grow until everybody is counted.
    public var counting: Bool
    /// How long a bucket is, in milliseconds; the last may be shorter.
    @Nullable public var bucketMs: Int64?
    /// How many people saw each bucket.
    public var curve: [Int64]
    /// How many of them saw it twice or more.
    public var again: [Int64]
    /// Where the most people had gone since the bucket before, up to three, the worst first.
    public var drops: [VideoPlace]
    /// What the most people saw again, up to three, the best first.
    public var peaks: [VideoPlace]

    public init(
        video: VideoRecord, counting: Bool, bucketMs: Int64?, curve: [Int64], again: [Int64], drops: [VideoPlace],
        peaks: [VideoPlace]
    ) {
        self.video = video
        self.counting = counting
        self.bucketMs = bucketMs
        self.curve = curve
        self.again = again
        self.drops = drops
        self.peaks = peaks
    }
}

/// A place in a video, and how many people it is about.
public struct VideoPlace: Sendable, Codable, Equatable {
    /// Where its bucket begins, in milliseconds of media time.
    public var fromMs: Int64
    public var viewers: Int64

    public init(fromMs: Int64, viewers: Int64) {
        self.fromMs = fromMs
        self.viewers = viewers
    }
}

/// The answer to `GET /api/v1/videos/ID/viewers`: in the order in which people came to the site first.
public struct VideoViewerPage: Sendable, Codable, Equatable {
    public var viewers: [VideoViewer]
    /// Give it back as `cursor` for the next page; `null` on the last.
    @Nullable public var nextCursor: String?

    public init(viewers: [VideoViewer], nextCursor: String?) {
        self.viewers = viewers
        self.nextCursor = nextCursor
    }
}

/// A person, and what they watched of a video.
public struct VideoViewer: Sendable, Codable, Equatable {
    public var viewer: ViewerRecord
    public var progress: VideoProgress

    public init(viewer: ViewerRecord, progress: VideoProgress) {
        self.viewer = viewer
        self.progress = progress
    }
}
