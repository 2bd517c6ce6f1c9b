import DwellAPI

extension AudienceCount {
    /// Counts all that a viewer watched, or counts it no more. What is being computed of it at this moment is computed
    /// once more.
    mutating func recount(_ viewer: Int64, isCounted: Bool) throws {
        var kept: [(pair: ViewerVideo, coverage: StoredCoverage)] = []
        for (pair, stored) in try coverage(of: viewer, limit: .max) {
            guard var video = videos[pair.video] else { continue }
            if stored.round == video.round { video.count(stored, by: -1) }
            var stored = stored
            stored.round = isCounted ? video.round : StoredCoverage.uncounted
            if stored.round == video.round { video.count(stored, by: 1) }
            videos[pair.video] = video
            kept.append((pair, stored))
        }
        try queries.keep(kept)
        let segments = SegmentQueries(connection: queries.connection)
        try segments.markWatched(kept.map(\.pair))
        try segments.renewMarks(of: viewer)
    }

    /// Keeps nothing of what a viewer came to, of so many videos.
    /// - Returns: How many they are; fewer than the limit were the last
    mutating func forget(_ viewer: Int64, limit: Int) throws -> Int {
        let found = try coverage(of: viewer, limit: limit)
        for (pair, stored) in found { try exchange(stored, for: nil, of: pair) }
        return found.count
    }

    private mutating func coverage(
        of viewer: Int64, limit: Int
    ) throws -> [(pair: ViewerVideo, stored: StoredCoverage)] {
        let pairs = try queries.covered(by: viewer, limit: limit).map { ViewerVideo(viewer: viewer, video: $0) }
        for pair in pairs { videos[pair.video] = try queries.video(pair.video) }
        return zip(pairs, try queries.coverage(of: pairs)).compactMap { pair, stored in stored.map { (pair, $0) } }
    }
}

extension Audience {
    /// Counts what a viewer watched, or counts it no more, inside the transaction that says which.
    static func count(_ viewer: Int64, _ isCounted: Bool, _ connection: any DatabaseConnection) throws {
        try connection.lock(.audience)
        var count = AudienceCount(connection: connection)
        try count.recount(viewer, isCounted: isCounted)
        try count.finish()
    }

    /// Takes what a viewer watched away, of so many videos.
    /// - Returns: How many they were
    static func forget(_ viewer: Int64, limit: Int, _ connection: any DatabaseConnection) throws -> Int {
        try connection.lock(.audience)
        var count = AudienceCount(connection: connection)
        let forgotten = try count.forget(viewer, limit: limit)
        try count.finish()
        return forgotten
    }
}
