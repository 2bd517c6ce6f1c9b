package import DwellAPI
package import Foundation

/// A browser that logged in. It stays the same device through every logout, for as long as it is recognised.
package struct Device: Sendable, Equatable {
    package let id: UUID
    /// The account's id.
    package let account: UUID
    /// What its owner calls it, or else what it says of itself.
    package let name: String
    package let os: String
    package let lastLoggedInAt: Timestamp
    package let lastSeenAt: Timestamp
    /// The network that the last login came from.
    package var address: String?
    /// The number of the login that holds it: each one ends those before.
    package var login: Int64 = 0

    /// Why a device is no longer one.
    package enum Removal: String, Sendable, SQLConvertible {
        /// Its owner logged out on it.
        case logout
        /// Its owner removed it from another device.
        case removed
        /// A new login on the same browser took its place.
        case replaced
        /// A login on another browser took its place.
        case evicted
        /// It was not used for too long.
        case idle
        /// Its login was past its end.
        case expired
        /// The operator of the server ended it.
        case `operator`
    }

    /// The device as its owner sees it.
    var record: DeviceRecord {
        var record = evidence
        record.lastSeen = lastSeenAt
        record.address = address
        return record
    }

    /// The device as whoever reads figures sees it.
    var evidence: DeviceRecord {
        DeviceRecord(
            id: id.lowercase, userID: account.lowercase, deviceName: name, deviceOS: os, lastLoggedIn: lastLoggedInAt)
    }
}

/// How many devices an account may be logged in on, and what happens when one more comes.
package struct DeviceQuota: Sendable, Equatable {
    package var limit: Int
    package var policy: DevicePolicy

    package init(limit: Int, policy: DevicePolicy) {
        self.limit = limit
        self.policy = policy
    }

    /// A limit, if it is one.
    static func limit(_ number: Int) -> Int? {
        (1...1000).contains(number) ? number : nil
    }
}

extension DevicePolicy: SQLConvertible {
    /// What a text must be to be one.
    static let expectation = "deny, ask or evict-oldest"
}

/// How many devices an account may be logged in on, and for how long.
package struct DeviceSettings: Sendable {
    /// 365 days, in milliseconds.
    package static let year: Int64 = 365 * 86_400_000

    /// What holds for an account that has no quota of its own.
    package var quota: DeviceQuota
    /// How long a login lasts however much it is used, in milliseconds.
    package var lifetime: Int64
    /// How long a login lasts that is not used, in milliseconds.
    package var idle: Int64

    package init(
        quota: DeviceQuota = DeviceQuota(limit: 4, policy: .deny), lifetime: Int64 = year, idle: Int64 = year
    ) {
        self.quota = quota
        self.lifetime = lifetime
        self.idle = idle
    }

    /// How exactly it is known when a device was last used, in milliseconds: a row is written that often at most.
    var seenStep: Int64 { min(300_000, idle / 10) }

    /// How an account's devices are limited.
    func quota(of account: Account) -> DeviceQuota {
        DeviceQuota(
            limit: account.deviceLimit ?? quota.limit, policy: account.devicePolicy ?? quota.policy)
    }

    /// What ended a device by itself, and when.
    func end(of device: DeviceStatus, at time: Timestamp) -> (Device.Removal, at: Timestamp)? {
        let ends = [
            (Device.Removal.expired, at: device.lastLoggedInAt + lifetime), (.idle, at: device.lastSeenAt + idle),
        ]
        return ends.filter { $0.at <= time }.min { $0.at < $1.at }
    }
}

/// Why something about a device can't be done.
package enum DeviceError: Error, Equatable {
    /// The account is logged in on as many devices as it may be: these. A ticket lets one be replaced.
    case limitReached([Device], ticket: DeviceTicket?)
    /// A device can't remove itself.
    case ownDevice
    /// No such device, or somebody else's.
    case notFound
    /// What was handed in is no ticket, or was used already.
    case ticketUnknown
    /// The ticket is past its end, or the account's password has changed since.
    case ticketExpired
    /// The ticket was given to another browser.
    case ticketOfOtherBrowser
}
