/// A browser that logged in.
public struct DeviceRecord: Sendable, Codable, Equatable {
    /// A UUID, made by the server.
    public var id: String
    /// The account's UUID.
    public var userID: String
    /// Reads like `Chrome Mobile 112.0.0.0 on SM-S901B (Android 13)`.
    public var deviceName: String
    /// Reads like `Android 13`.
    public var deviceOS: String
    public var lastLoggedIn: Timestamp

    enum CodingKeys: String, CodingKey {
        case id
        case userID = "user_id"
        case deviceName = "device_name"
        case deviceOS = "device_os"
        case lastLoggedIn = "last_logged_in"
    }

    public init(id: String, userID: String, deviceName: String, deviceOS: String, lastLoggedIn: Timestamp) {
        self.id = id
        self.userID = userID
        self.deviceName = deviceName
        self.deviceOS = deviceOS
        self.lastLoggedIn = lastLoggedIn
    }
}

/// The answer to `GET /devices/list`.
public struct DeviceListReply: Sendable, Codable {
    public var error: Bool
    public var userID: String
    public var totalDevice: Int
    public var deviceList: [DeviceRecord]

    enum CodingKeys: String, CodingKey {
        case error
        case userID = "user_id"
        case totalDevice = "total_device"
        case deviceList = "device_list"
    }

    public init(userID: String, devices: [DeviceRecord]) {
        self.error = false
        self.userID = userID
        self.totalDevice = devices.count
        self.deviceList = devices
    }
}
