/// A browser that logged in.
public struct DeviceRecord: Sendable, Codable, Equatable {
    /// A UUID, made by the server; a browser that is recognised keeps it.
    public var id: String
    /// The account's UUID.
    public var userID: String
    /// As its owner named it; until then it reads like `Chrome Mobile 112.0.0.0 on SM-S901B (Android 13)`.
    public var deviceName: String
    /// Reads like `Android 13`.
    public var deviceOS: String
    public var lastLoggedIn: Timestamp
    /// When a request came with its login, to five minutes. Only its owner is told.
    public var lastSeen: Timestamp?
    /// The network that the last login came from, such as `203.0.113.0/24` or `2001:db8:12::/48`; the rest of the
    /// address is never stored. Only its owner is told.
    public var address: String?
    /// Whether it is the one that asks; only in `GET /devices/list`.
    public var isCurrent: Bool?

    enum CodingKeys: String, CodingKey {
        case id, address
        case userID = "user_id"
        case deviceName = "device_name"
        case deviceOS = "device_os"
        case lastLoggedIn = "last_logged_in"
        case lastSeen = "last_seen"
        case isCurrent = "is_current"
    }

    public init(
        id: String, userID: String, deviceName: String, deviceOS: String, lastLoggedIn: Timestamp,
        lastSeen: Timestamp? = nil, address: String? = nil, isCurrent: Bool? = nil
    ) {
        self.id = id
        self.userID = userID
        self.deviceName = deviceName
        self.deviceOS = deviceOS
        self.lastLoggedIn = lastLoggedIn
        self.lastSeen = lastSeen
        self.address = address
        self.isCurrent = isCurrent
    }
}

/// What happens when a new browser comes and the account is logged in on as many devices as it may be.
public enum DevicePolicy: String, Sendable, Codable, CaseIterable {
    /// It is refused.
    case deny
    /// It is refused, with a ticket by which it can take the place of a device that the person chooses.
    case ask
    /// It takes the place of the device that was not used for longest.
    case evictOldest = "evict-oldest"
}

/// The answer to `GET /devices/list`.
public struct DeviceListReply: Sendable, Codable {
    public var error: Bool
    public var userID: String
    public var totalDevice: Int
    /// The latest login first.
    public var deviceList: [DeviceRecord]
    /// How many devices the account may be logged in on. When it was lowered, there may be more.
    public var limit: Int
    public var policy: DevicePolicy

    enum CodingKeys: String, CodingKey {
        case error, limit, policy
        case userID = "user_id"
        case totalDevice = "total_device"
        case deviceList = "device_list"
    }

    public init(userID: String, devices: [DeviceRecord], limit: Int, policy: DevicePolicy) {
        self.error = false
        self.userID = userID
        self.totalDevice = devices.count
        self.deviceList = devices
        self.limit = limit
        self.policy = policy
    }
}

/// The body of `POST /devices/replace`.
public struct ReplaceBody: Sendable, Codable {
    /// From the answer 421 to a login in this browser.
    public var ticket: String
    /// The UUID of the device to remove.
    public var deviceId: String
}

/// The body of `PATCH /devices/rename/{id}`.
public struct RenameBody: Sendable, Codable {
    /// 1 to 100 characters.
    public var deviceName: String

    enum CodingKeys: String, CodingKey {
        case deviceName = "device_name"
    }
}
