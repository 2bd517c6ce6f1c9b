/// The answer to `GET /api/v1/devices`: everybody's devices that are logged in, the latest login first.
public struct DevicePage: Sendable, Codable {
    public var devices: [OwnedDevice]
    /// Give it back as `cursor` for the next page; `null` on the last.
    @Nullable public var nextCursor: String?

    public init(devices: [OwnedDevice], nextCursor: String?) {
        self.devices = devices
        self.nextCursor = nextCursor
    }
}

/// A browser that is logged in, and on which account.
public struct OwnedDevice: Sendable, Codable, Equatable {
    public var username: String
    public var device: DeviceRecord

    public init(username: String, device: DeviceRecord) {
        self.username = username
        self.device = device
    }
}

/// The answer to `GET /api/v1/gates`.
public struct GateList: Sendable, Codable {
    public var gates: [GateRecord]

    public init(gates: [GateRecord]) {
        self.gates = gates
    }
}

/// What a gate guards, and whom it lets in.
public struct GateRecord: Sendable, Codable, Equatable {
    public var name: String
    /// `open`: an address opens it, whosever it is; `verified`: a code that was mailed to it.
    public var level: String
    /// Folders of the site.
    public var paths: [String]
    /// Other sites whose proxy asks whether it is open.
    public var sites: [String]
    /// Who may enter; everybody when empty.
    public var allow: [String]
    /// Who may not.
    public var deny: [String]
    /// How long a pass is good, in seconds.
    public var passSeconds: Int64
    /// When nobody enters any more, and passes open nothing.
    @Nullable public var closes: Timestamp?

    public init(
        name: String, level: String, paths: [String], sites: [String], allow: [String], deny: [String],
        passSeconds: Int64, closes: Timestamp?
    ) {
        self.name = name
        self.level = level
        self.paths = paths
        self.sites = sites
        self.allow = allow
        self.deny = deny
        self.passSeconds = passSeconds
        self.closes = closes
    }
}

/// The answer to `GET /api/v1/gates/{name}/visitors`: those who entered, who came last first.
public struct GateVisitorPage: Sendable, Codable {
    public var visitors: [GateVisitorRecord]
    /// Give it back as `cursor` for the next page; `null` on the last.
    @Nullable public var nextCursor: String?

    public init(visitors: [GateVisitorRecord], nextCursor: String?) {
        self.visitors = visitors
        self.nextCursor = nextCursor
    }
}

/// Somebody who entered a gate, once or many times.
public struct GateVisitorRecord: Sendable, Codable, Equatable {
    public var email: String
    /// How sure the address was at the last entry.
    public var identity: VisitorIdentity
    /// How many times.
    public var entries: Int
    public var firstEntryTime: Timestamp
    public var lastEntryTime: Timestamp
    /// Whether the address is kept out by now.
    public var revoked: Bool

    public init(
        email: String, identity: VisitorIdentity, entries: Int, firstEntryTime: Timestamp, lastEntryTime: Timestamp,
        revoked: Bool
    ) {
        self.email = email
        self.identity = identity
        self.entries = entries
        self.firstEntryTime = firstEntryTime
        self.lastEntryTime = lastEntryTime
        self.revoked = revoked
    }
}

/// The answer to `GET /api/v1/settings`: what the server is set to, but for what is secret.
public struct SettingsRecord: Sendable, Codable, Equatable {
    public var publicUrl: String
    /// Where the data is, without a password.
    public var store: String
    /// Where days are cut, an IANA name.
    public var timeZone: String
    public var heartbeatIntervalMs: Int64
    /// How many days segments are kept; `null` keeps them for ever.
    @Nullable public var keepSegmentsDays: Int64?
    public var keepAuditDays: Int64
    /// How many devices an account may be logged in on.
    public var deviceLimit: Int
    public var devicePolicy: DevicePolicy
    public var loginLifetimeMs: Int64
    public var loginIdleMs: Int64
    /// How many videos an account may play at once; `null` sets no limit.
    @Nullable public var viewingLimit: Int?
    public var maxCreditRate: Double
    /// How many requests a minute each key may make.
    public var apiRate: Int
    public var allowedOrigins: [String]
    /// The folder of static pages.
    @Nullable public var site: String?
    /// Whether mail is set up.
    public var mail: Bool

    public init(
        publicUrl: String, store: String, timeZone: String, heartbeatIntervalMs: Int64, keepSegmentsDays: Int64?,
        keepAuditDays: Int64, deviceLimit: Int, devicePolicy: DevicePolicy, loginLifetimeMs: Int64,
        loginIdleMs: Int64, viewingLimit: Int?, maxCreditRate: Double, apiRate: Int, allowedOrigins: [String],
        site: String?, mail: Bool
    ) {
        self.publicUrl = publicUrl
        self.store = store
        self.timeZone = timeZone
        self.heartbeatIntervalMs = heartbeatIntervalMs
        self.keepSegmentsDays = keepSegmentsDays
        self.keepAuditDays = keepAuditDays
        self.deviceLimit = deviceLimit
        self.devicePolicy = devicePolicy
        self.loginLifetimeMs = loginLifetimeMs
        self.loginIdleMs = loginIdleMs
        self.viewingLimit = viewingLimit
        self.maxCreditRate = maxCreditRate
        self.apiRate = apiRate
        self.allowedOrigins = allowedOrigins
        self.site = site
        self.mail = mail
    }
}

/// The answer to `GET /api/v1/operators`: who may look at the dashboard, by name.
public struct OperatorList: Sendable, Codable {
    public var operators: [OperatorRecord]

    public init(operators: [OperatorRecord]) {
        self.operators = operators
    }
}

/// Somebody who may look at the dashboard.
public struct OperatorRecord: Sendable, Codable, Equatable {
    public var name: String
    /// `owner`: everything; `viewer`: everything but webhooks, the audit log and the settings.
    public var role: String
    public var createdTime: Timestamp

    public init(name: String, role: String, createdTime: Timestamp) {
        self.name = name
        self.role = role
        self.createdTime = createdTime
    }
}

/// The answer to `GET /api/v1/keys`: the keys of this API, by name, without the keys themselves.
public struct KeyList: Sendable, Codable {
    public var keys: [KeyRecord]

    public init(keys: [KeyRecord]) {
        self.keys = keys
    }
}

/// A key of this API.
public struct KeyRecord: Sendable, Codable, Equatable {
    public var name: String
    /// Of `read`, `audit` and `manage`.
    public var scopes: [String]
    public var createdTime: Timestamp
    /// When it was used last, to a minute; `null` when it never was.
    @Nullable public var lastUsedTime: Timestamp?

    public init(name: String, scopes: [String], createdTime: Timestamp, lastUsedTime: Timestamp?) {
        self.name = name
        self.scopes = scopes
        self.createdTime = createdTime
        self.lastUsedTime = lastUsedTime
    }
}
