package import DwellAPI
package import Foundation

/// A browser that logged in.
package struct Device: Sendable, Equatable {
    package let id: UUID
    /// The account's id.
    package let account: UUID
    package let name: String
    package let os: String
    package let lastLoggedInAt: Timestamp

    /// Why a device is no longer one.
    package enum Removal: String, Sendable, SQLConvertible {
        /// Its owner logged out on it.
        case logout
        /// Its owner removed it from another device.
        case removed
        /// A new login on the same browser took its place.
        case replaced
    }

    /// The device as clients see it.
    var record: DeviceRecord {
        DeviceRecord(
            id: id.lowercase, userID: account.lowercase, deviceName: name, deviceOS: os,
            lastLoggedIn: lastLoggedInAt)
    }
}

/// Why something about a device can't be done.
package enum DeviceError: Error, Equatable {
    /// The account is logged in on as many devices as it may be: these.
    case limitReached([Device])
    /// A device can't remove itself.
    case ownDevice
    /// No such device, or somebody else's.
    case notFound
}
