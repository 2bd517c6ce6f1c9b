import DwellAPI
import Foundation

/// The one way in. Every path that logs in calls it inside its transaction, with the account's row locked: whatever
/// races, an account's devices are counted and added by one login at a time.
struct DeviceAdmission {
    let connection: any DatabaseConnection
    let settings: DeviceSettings
    /// Where the login comes from.
    let address: ClientAddress?

    /// Gives a browser a place, or refuses.
    /// - Parameters:
    ///   - origin: The browser
    ///   - browser: What it is recognised by from now on
    ///   - account: Whose row this transaction has locked
    ///   - replaced: A device that shall go for it
    /// - Returns: The device, and those whose logins ended for it
    /// - Throws: ``DeviceError/limitReached(_:ticket:)`` when every place is taken, or ``DeviceError/notFound`` when the
    ///   one to go is not in use; the transaction is to be undone
    func admit(
        _ origin: LoginOrigin, as browser: RandomSecret, to account: Account, replacing replaced: UUID? = nil,
        at time: Timestamp
    ) throws -> (device: Device, ended: [UUID]) {
        try devices.removeEnded(of: account.id, at: time, settings)
        var ended: [UUID] = []
        let known = try known(origin, as: browser, to: account)
        if let presented = origin.presented, presented.device != known?.id,
            try devices.remove(presented, as: .replaced, at: time)
        {
            ended.append(presented.device)
        }
        let inUse = try devices.inUse(by: account.id, at: time, settings)
        if let known, inUse.contains(where: { $0.id == known.id }) {
            try Announcements.announce(.device, known.id.lowercase, at: time, connection)
            ended.append(known.id)
        } else {
            ended += try makeRoom(beside: inUse, of: account, replacing: replaced, at: time)
        }
        let device = Device(
            id: known?.id ?? UUID(), account: account.id, name: origin.description.name, os: origin.description.os,
            lastLoggedInAt: time, lastSeenAt: time, address: origin.address?.place.description,
            login: (known?.login ?? 0) + 1)
        if known == nil {
            try devices.insert(device, browser: browser)
        } else {
            try devices.revive(device, browser: browser)
        }
        return (try devices.device(device.id) ?? device, ended)
    }

    private var devices: DeviceQueries { DeviceQueries(connection: connection, address: address) }

    /// The device that the browser was before, by its cookie, or else by the login that it holds.
    private func known(_ origin: LoginOrigin, as browser: RandomSecret, to account: Account) throws -> Device? {
        if let device = try devices.device(of: browser, account: account.id) { return device }
        guard let presented = origin.presented, presented.account == account.id,
            let device = try devices.device(presented.device), device.login == presented.number
        else { return nil }
        return device
    }

    /// - Returns: The devices that had to go
    private func makeRoom(
        beside inUse: [Device], of account: Account, replacing replaced: UUID?, at time: Timestamp
    ) throws -> [UUID] {
        let quota = settings.quota(of: account)
        var staying = inUse
        var ended: [UUID] = []
        func end(_ device: Device, as removal: Device.Removal) throws {
            // Its owner may remove it at this very moment.
            _ = try devices.remove(device.id, of: account.id, as: removal, at: time)
            staying.removeAll { $0.id == device.id }
            ended.append(device.id)
        }
        if let replaced {
            guard let device = inUse.first(where: { $0.id == replaced }) else { throw DeviceError.notFound }
            try end(device, as: .removed)
        }
        while staying.count >= quota.limit {
            guard quota.policy == .evictOldest, let oldest = staying.min(by: { $0.lastSeenAt < $1.lastSeenAt }) else {
                throw DeviceError.limitReached(inUse, ticket: nil)
            }
            try end(oldest, as: .evicted)
        }
        return ended
    }
}
