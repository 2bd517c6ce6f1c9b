import DwellAPI
import Foundation

/// What a login needs to know of its device.
struct DeviceStatus: Sendable {
    /// The number by which sessions and statistics know the person.
    let viewer: Int64
    /// The number of the login that holds it.
    let login: Int64
    let lastLoggedInAt: Timestamp
    let lastSeenAt: Timestamp
    let removal: (Device.Removal, at: Timestamp)?
}

/// Which logins are good: remembered, as long as this node hears of every removal.
final class DeviceStatuses: Sendable {
    private struct Known {
        let viewer: Int64
        /// When the database is to be asked again: it must hear that the device is used, and a login has an end.
        let until: Timestamp
    }

    private let database: any Database
    private let settings: DeviceSettings
    private let remembered: Remembered<LoginKey, Known>

    /// - Parameter announcements: Tells of removals; without them nothing is remembered
    init(database: any Database, announcements: Announcements?, settings: DeviceSettings) {
        self.database = database
        self.settings = settings
        remembered = Remembered(capacity: 100_000, topic: .device, announcements: announcements)
    }

    /// The viewer whom a login lets in; its device counts as used.
    /// - Throws: ``LoginError``
    func viewer(of login: LoginKey, at time: Timestamp) async throws -> Int64 {
        let moment = remembered.moment
        if let viewer = rememberedViewer(of: login, at: time) { return viewer }
        guard let status = try await database.read({ try DeviceQueries(connection: $0).status(of: login) }) else {
            // Rows of devices go with their account only.
            throw LoginError.accountDeleted
        }
        try check(status, of: login, at: time)
        var seenAt = status.lastSeenAt
        if time - seenAt >= settings.seenStep {
            let isTouched = try await database.write { try DeviceQueries(connection: $0).touch(login, at: time) }
            // Another request was quicker: with the same news, or with the device's end.
            guard isTouched else { return try await viewer(of: login, at: time) }
            seenAt = time
        }
        let until = min(seenAt + settings.seenStep, status.lastLoggedInAt + settings.lifetime)
        remembered.remember(Known(viewer: status.viewer, until: until), for: login, since: moment)
        return status.viewer
    }

    /// The viewer whom a login is known to let in; `nil` when ``viewer(of:at:)`` has to be asked.
    func rememberedViewer(of login: LoginKey, at time: Timestamp) -> Int64? {
        remembered.value(for: login).flatMap { time < $0.until ? $0.viewer : nil }
    }

    private func check(_ status: DeviceStatus, of login: LoginKey, at time: Timestamp) throws(LoginError) {
        if status.login != login.number { throw .deviceRemoved(.replaced, at: status.lastLoggedInAt) }
        switch status.removal ?? settings.end(of: status, at: time) {
        case nil: return
        case (.expired, _)?: throw .expired
        case let (removal, ended)?: throw .deviceRemoved(removal, at: ended)
        }
    }
}
