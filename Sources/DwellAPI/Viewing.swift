/// A video that plays somewhere.
public struct ViewingRecord: Sendable, Codable, Equatable {
    /// A UUID; ``TakeBody/instead`` names it.
    public var id: String
    /// The video's name, as its player tells it.
    public var video: String
    /// What the device is called that it plays on.
    public var deviceName: String
    /// When it began to play there.
    public var since: Timestamp

    public init(id: String, video: String, deviceName: String, since: Timestamp) {
        self.id = id
        self.video = video
        self.deviceName = deviceName
        self.since = since
    }
}

/// Players that must stop, because the account may not play more videos at once: part of the answer to the beat that told
/// of them, and of the answer 409 to `POST /api/viewing/take`. What was watched is stored nevertheless.
public struct ViewingRefusal: Sendable, Codable, Equatable {
    /// How many videos the account may play at once.
    public var limit: Int
    /// The players that must stop.
    public var stopped: [StoppedPlayer]
    /// What plays, the one that has played longest first.
    public var playing: [ViewingRecord]

    public init(limit: Int, stopped: [StoppedPlayer], playing: [ViewingRecord]) {
        self.limit = limit
        self.stopped = stopped
        self.playing = playing
    }
}

/// A player that must stop.
public struct StoppedPlayer: Sendable, Codable, Equatable {
    /// Its tab, as in ``SegmentClaim/tab``.
    public var tab: String
    /// What it plays, as in ``SegmentClaim/video``.
    public var video: String
    public var reason: Reason

    /// Why a player must stop.
    public enum Reason: String, Sendable, Codable, CaseIterable {
        /// As many videos as may be play elsewhere.
        case limit
        /// Another player took its place.
        case taken
    }

    public init(tab: String, video: String, reason: Reason) {
        self.tab = tab
        self.video = video
        self.reason = reason
    }
}

/// The JSON body of `POST /api/viewing/take`: play here instead.
public struct TakeBody: Sendable, Codable {
    /// The player's tab, as in ``SegmentClaim/tab``.
    public var tab: String
    /// What it will play, as in ``SegmentClaim/video``.
    public var video: String
    /// The ``ViewingRecord/id`` of what shall stop; without it, when there is no room, what has played longest does.
    public var instead: String?
    /// As in ``BeatBody/token``.
    public var token: String?
}

/// The answer to `POST /api/viewing/take` when the player may play.
public struct TakeReply: Sendable, Codable {
    /// Always `true`.
    public var success: Bool

    public init() {
        self.success = true
    }
}
