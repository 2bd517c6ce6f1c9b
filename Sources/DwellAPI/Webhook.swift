/// What a webhook can tell of: the `type` of an event. A word never changes its meaning.
public enum WebhookEventType: String, Sendable, Codable, CaseIterable {
    /// A session is over: 30 minutes were silent, or it was closed by name.
    case sessionEnded = "session.ended"
    /// A person has watched enough of a video to have completed it.
    case videoCompleted = "video.completed"
    /// A device's login ended, by whomever.
    case deviceRemoved = "device.removed"
    /// A login was refused: the account is logged in on as many devices as it may be.
    case deviceLimitReached = "device.limit_reached"
    /// A visitor came through a gate.
    case gateEntered = "gate.entered"
    /// What `dwell webhook test` sends. No endpoint asks for it.
    case ping

    /// Those that an endpoint can ask for.
    public static var offered: [WebhookEventType] { allCases.filter { $0 != .ping } }
}

/// What an event tells: its `data`.
public protocol WebhookContent: Sendable, Codable {
    static var type: WebhookEventType { get }
}

/// The body of a delivery, in the form of the Standard Webhooks specification.
public struct WebhookEvent<Content: WebhookContent>: Sendable, Codable {
    public var type: WebhookEventType
    /// When it happened; of a session, when it was found to be over. It is not when the event was delivered.
    public var timestamp: Timestamp
    public var data: Content

    public init(_ data: Content, at timestamp: Timestamp) {
        type = Content.type
        self.timestamp = timestamp
        self.data = data
    }
}

/// The session as it ended. What comes late, of a page that was offline, may change it: then it is told again, under the same
/// `id`, and the event with the latest `timestamp` holds.
extension SessionRecord: WebhookContent {
    public static var type: WebhookEventType { .sessionEnded }
}

/// What `video.completed` tells.
public struct VideoCompletion: WebhookContent, Equatable {
    public static var type: WebhookEventType { .videoCompleted }

    public var viewer: ViewerRecord
    public var video: String
    /// How long the video is, in milliseconds.
    @Nullable public var durationMs: Int64?
    /// How much of it was watched, each moment counted once, in milliseconds.
    public var coveredMs: Int64
    /// When enough of it had been watched for the first time.
    public var completedTime: Timestamp

    public init(viewer: ViewerRecord, video: String, durationMs: Int64?, coveredMs: Int64, completedTime: Timestamp) {
        self.viewer = viewer
        self.video = video
        self.durationMs = durationMs
        self.coveredMs = coveredMs
        self.completedTime = completedTime
    }
}

/// What `device.removed` tells.
public struct DeviceRemoval: WebhookContent, Equatable {
    public static var type: WebhookEventType { .deviceRemoved }

    public var viewer: ViewerRecord
    public var device: DeviceRecord
    /// `logout`, `removed` by its owner, `replaced` by a login on the same browser, `evicted` by one on another, `idle` or
    /// `expired` by itself, or `operator`.
    public var reason: String
    public var removedTime: Timestamp

    public init(viewer: ViewerRecord, device: DeviceRecord, reason: String, removedTime: Timestamp) {
        self.viewer = viewer
        self.device = device
        self.reason = reason
        self.removedTime = removedTime
    }
}

/// What `device.limit_reached` tells.
public struct DeviceRefusal: WebhookContent, Equatable {
    public static var type: WebhookEventType { .deviceLimitReached }

    public var viewer: ViewerRecord
    /// How many devices the account may be logged in on.
    public var limit: Int
    public var policy: DevicePolicy
    /// Those that it is logged in on, the latest login first.
    public var devices: [DeviceRecord]

    public init(viewer: ViewerRecord, limit: Int, policy: DevicePolicy, devices: [DeviceRecord]) {
        self.viewer = viewer
        self.limit = limit
        self.policy = policy
        self.devices = devices
    }
}

/// What `gate.entered` tells.
public struct GateEntry: WebhookContent, Equatable {
    public static var type: WebhookEventType { .gateEntered }

    public var viewer: ViewerRecord
    /// The gate's name.
    public var gate: String
    public var identity: VisitorIdentity
    /// The session that begins with it.
    public var sessionId: Int64

    public init(viewer: ViewerRecord, gate: String, identity: VisitorIdentity, sessionId: Int64) {
        self.viewer = viewer
        self.gate = gate
        self.identity = identity
        self.sessionId = sessionId
    }
}

/// What `ping` tells: nothing.
public struct WebhookPing: WebhookContent, Equatable {
    public static var type: WebhookEventType { .ping }

    public init() {}
}
