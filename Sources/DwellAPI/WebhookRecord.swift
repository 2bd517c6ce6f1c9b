/// Where events go, and how it has gone lately.
public struct WebhookRecord: Sendable, Codable, Equatable {
    /// A UUID.
    public var id: String
    public var url: String
    public var events: [WebhookEventType]
    public var createdTime: Timestamp
    /// Since when nothing is sent, because the endpoint answered 410; `null` while it is in use.
    @Nullable public var disabledTime: Timestamp?
    /// How many deliveries wait for their turn, or for their next one.
    public var waiting: Int
    /// How many of those in the log were given up.
    public var failed: Int
    /// When the last one was taken; `null` when none was.
    @Nullable public var deliveredTime: Timestamp?
    /// When the last try failed; `null` when none did.
    @Nullable public var refusedTime: Timestamp?
    /// Why it failed.
    @Nullable public var refusal: String?

    public init(
        id: String, url: String, events: [WebhookEventType], createdTime: Timestamp, disabledTime: Timestamp?,
        waiting: Int, failed: Int, deliveredTime: Timestamp?, refusedTime: Timestamp?, refusal: String?
    ) {
        self.id = id
        self.url = url
        self.events = events
        self.createdTime = createdTime
        self.disabledTime = disabledTime
        self.waiting = waiting
        self.failed = failed
        self.deliveredTime = deliveredTime
        self.refusedTime = refusedTime
        self.refusal = refusal
    }
}

/// The answer to `GET /api/v1/webhooks`: every endpoint, the oldest first.
public struct WebhookList: Sendable, Codable, Equatable {
    public var webhooks: [WebhookRecord]

    public init(webhooks: [WebhookRecord]) {
        self.webhooks = webhooks
    }
}

/// The body of `POST /api/v1/webhooks`.
public struct WebhookBody: Sendable, Codable {
    /// `https://…`, or `http://…` on this machine.
    public var url: String
    /// At least one of those that are offered.
    public var events: [String]

    public init(url: String, events: [String]) {
        self.url = url
        self.events = events
    }
}

/// The answer to `POST /api/v1/webhooks`.
public struct NewWebhook: Sendable, Codable, Equatable {
    public var webhook: WebhookRecord
    /// What deliveries are signed with: `whsec_` and base64. It can't be shown again.
    public var secret: String

    public init(webhook: WebhookRecord, secret: String) {
        self.webhook = webhook
        self.secret = secret
    }
}

/// How a delivery stands.
public enum WebhookDeliveryState: String, Sendable, Codable, CaseIterable {
    /// It was not tried yet, or will be tried again.
    case waiting
    /// The endpoint has taken it.
    case delivered
    /// It was given up: after the last try, or because the endpoint is out of use.
    case failed
}

/// An event on its way to an endpoint: a line of the delivery log.
public struct WebhookDelivery: Sendable, Codable, Equatable {
    /// A UUID.
    public var id: String
    /// The endpoint's.
    public var webhookId: String
    /// The event's UUID: what `webhook-id` says, in every try and to every endpoint.
    public var eventId: String
    public var type: WebhookEventType
    public var state: WebhookDeliveryState
    /// How often it was tried, since it was replayed if it was.
    public var attempts: Int
    /// When it was written.
    public var madeTime: Timestamp
    /// When it was tried last.
    @Nullable public var triedTime: Timestamp?
    /// When it will be tried next; `null` when it will not.
    @Nullable public var nextTime: Timestamp?
    /// What the endpoint answered last, such as 200; `null` when it did not.
    @Nullable public var status: Int?
    /// Why the last try failed.
    @Nullable public var error: String?

    public init(
        id: String, webhookId: String, eventId: String, type: WebhookEventType, state: WebhookDeliveryState,
        attempts: Int, madeTime: Timestamp, triedTime: Timestamp?, nextTime: Timestamp?, status: Int?, error: String?
    ) {
        self.id = id
        self.webhookId = webhookId
        self.eventId = eventId
        self.type = type
        self.state = state
        self.attempts = attempts
        self.madeTime = madeTime
        self.triedTime = triedTime
        self.nextTime = nextTime
        self.status = status
        self.error = error
    }
}

/// The answer to `GET /api/v1/webhooks/{id}/deliveries`: a page of the log, the latest first.
public struct WebhookDeliveryPage: Sendable, Codable, Equatable {
    public var deliveries: [WebhookDelivery]
    /// Give it back as `cursor` for the next page; `null` on the last.
    @Nullable public var nextCursor: String?

    public init(deliveries: [WebhookDelivery], nextCursor: String?) {
        self.deliveries = deliveries
        self.nextCursor = nextCursor
    }
}
