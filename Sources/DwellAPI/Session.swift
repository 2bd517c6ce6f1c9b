/// One session: a viewer on one device, from the first beat until 30 minutes of silence.
public struct SessionRecord: Sendable, Codable, Equatable {
    public var id: Int64
    public var viewer: ViewerRecord
    /// The email of the visitor or of the account.
    public var emailOfAccessor: String
    public var sessionStartTime: Timestamp
    /// The last sign of life; while the session is open it moves.
    public var sessionEndTime: Timestamp
    /// The session is over: it was closed by name, or 30 minutes were silent. A queue that was kept offline may
    /// still add what happened before.
    public var closed: Bool
    /// The device's UUID, for accounts.
    @Nullable public var deviceId: String?
    /// The video the session was opened for.
    @Nullable public var video: String?
    /// The gate that a guest came through.
    @Nullable public var gate: String?
    /// How sure a guest's email is; `null` for accounts.
    @Nullable public var identity: VisitorIdentity?
    /// First to last sign of life, in milliseconds.
    public var elapsedMs: Int64
    /// The largest possible error of `elapsedMs`, in milliseconds.
    public var elapsedErrorMs: Int64
    /// Union of all segments, in milliseconds.
    public var visibleMs: Int64
    /// The largest possible error of `visibleMs`, in milliseconds.
    public var visibleErrorMs: Int64
    /// Union of the active segments, in milliseconds.
    public var engagedMs: Int64
    /// The largest possible error of `engagedMs`, in milliseconds.
    public var engagedErrorMs: Int64

    public init(
        id: Int64, viewer: ViewerRecord, start: Timestamp, end: Timestamp, closed: Bool, deviceId: String?,
        video: String?, gate: String?, identity: VisitorIdentity?, elapsedErrorMs: Int64, visibleMs: Int64,
        visibleErrorMs: Int64, engagedMs: Int64,
        engagedErrorMs: Int64
    ) {
        self.id = id
        self.viewer = viewer
        self.emailOfAccessor = viewer.email
        self.sessionStartTime = start
        self.sessionEndTime = end
        self.closed = closed
        self.deviceId = deviceId
        self.video = video
        self.gate = gate
        self.identity = identity
        self.elapsedMs = end - start
        self.elapsedErrorMs = elapsedErrorMs
        self.visibleMs = visibleMs
        self.visibleErrorMs = visibleErrorMs
        self.engagedMs = engagedMs
        self.engagedErrorMs = engagedErrorMs
    }
}

/// A person: a guest known by an email, or an account.
public struct ViewerRecord: Sendable, Codable, Equatable, Hashable {
    public var id: Int64
    public var kind: ViewerKind
    public var email: String
    @Nullable public var username: String?

    public init(id: Int64, kind: ViewerKind, email: String, username: String?) {
        self.id = id
        self.kind = kind
        self.email = email
        self.username = username
    }
}

/// How sure the email of a guest is.
public enum VisitorIdentity: String, Sendable, Codable, CaseIterable {
    /// Whoever came typed it.
    case claimed
    /// Whoever came reads what is mailed to it: a code was confirmed.
    case verified
}

/// Which door a person came through.
public enum ViewerKind: String, Sendable, Codable, CaseIterable {
    case guest
    case account
}

/// The answer to `GET /api/v1/sessions`: a page of sessions, the newest first.
public struct SessionPage: Sendable, Codable {
    public var sessions: [SessionRecord]
    /// Give it back as `cursor` for the next page; `null` on the last.
    @Nullable public var nextCursor: String?

    public init(sessions: [SessionRecord], nextCursor: String?) {
        self.sessions = sessions
        self.nextCursor = nextCursor
    }
}
