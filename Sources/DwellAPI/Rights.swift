/// A person whose viewing counts in no total: the answer to `PUT /api/v1/viewers/ID/exclusion`, and a part of others.
public struct ExcludedViewer: Sendable, Codable, Equatable {
    public var viewer: ViewerRecord
    /// Why, for people.
    public var reason: String
    public var excludedTime: Timestamp

    public init(viewer: ViewerRecord, reason: String, excludedTime: Timestamp) {
        self.viewer = viewer
        self.reason = reason
        self.excludedTime = excludedTime
    }
}

/// The answer to `GET /api/v1/exclusions`: those who were excluded last come first.
public struct ExclusionList: Sendable, Codable, Equatable {
    public var exclusions: [ExcludedViewer]

    public init(exclusions: [ExcludedViewer]) {
        self.exclusions = exclusions
    }
}

/// The body of `PUT /api/v1/viewers/ID/exclusion`.
public struct ExclusionBody: Sendable, Codable {
    /// Why, for people: 1 to 200 characters.
    public var reason: String
}

/// What was erased: the answer to `DELETE /api/v1/viewers/ID` and to `GET /api/v1/erasures/ID`. Nothing in it tells whose
/// it was.
public struct ErasureReceipt: Sendable, Codable, Equatable {
    /// A UUID.
    public var id: String
    public var askedTime: Timestamp
    /// On whose behalf: `operator NAME`, `key NAME`, or `command line`.
    public var askedBy: String
    /// How many rows of each table are gone, or name nobody any more, by now.
    public var removed: [String: Int]
    /// When the last was gone; `null` while there is something left to do.
    @Nullable public var completedTime: Timestamp?

    public init(
        id: String, askedTime: Timestamp, askedBy: String, removed: [String: Int], completedTime: Timestamp?
    ) {
        self.id = id
        self.askedTime = askedTime
        self.askedBy = askedBy
        self.removed = removed
        self.completedTime = completedTime
    }
}

/// The answer to `GET /api/v1/erasures`: those that were asked for last come first.
public struct ErasurePage: Sendable, Codable, Equatable {
    public var erasures: [ErasureReceipt]
    /// Give it back as `cursor` for the next page; `null` on the last.
    @Nullable public var nextCursor: String?

    public init(erasures: [ErasureReceipt], nextCursor: String?) {
        self.erasures = erasures
        self.nextCursor = nextCursor
    }
}
