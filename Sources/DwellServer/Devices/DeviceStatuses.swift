import DwellAPI
import Foundation
import Synchronization

/// Which devices are in use: remembered, as long as this node hears of every removal.
final class DeviceStatuses: Sendable {
    /// What a login needs to know of its device.
    struct Status: Sendable {
        let viewer: Int64
        let removal: (Device.Removal, at: Timestamp)?
    }

    private struct Key: Hashable {
        let device: UUID
        let account: UUID
    }

    private struct State {
        var viewers = BoundedCache<Key, Int64>(capacity: 100_000)
        /// Counts removals: what was read before one may be what it changed.
        var removals = 0
    }

    private let database: any Database
    private let announcements: Announcements?
    private let state = Mutex(State())

    /// - Parameter announcements: Tells of removals; without them nothing is remembered
    init(database: any Database, announcements: Announcements?) {
        self.database = database
        self.announcements = announcements
        announcements?.onNews { [weak self] topic, _ in
            if topic == .device { self?.forget() }
        }
    }

    /// The status of a device of an account; `nil` when there is no such device.
    func status(of device: UUID, account: UUID) async throws -> Status? {
        let key = Key(device: device, account: account)
        let isCurrent = announcements?.isCurrent ?? false
        let (known, removals) = state.withLock { ($0.viewers[key], $0.removals) }
        if isCurrent, let known { return Status(viewer: known, removal: nil) }
        let found = try await database.read { try DeviceQueries(connection: $0).status(of: device, account: account) }
        if let found, found.removal == nil, isCurrent {
            state.withLock { state in
                if state.removals == removals { state.viewers.insert(found.viewer, for: key) }
            }
        }
        return found
    }

    /// The viewer whose device is known to be in use; `nil` when ``status(of:account:)`` has to be asked.
    func rememberedViewer(of device: UUID, account: UUID) -> Int64? {
        guard announcements?.isCurrent ?? false else { return nil }
        return state.withLock { $0.viewers[Key(device: device, account: account)] }
    }

    /// Forgets everything: removals are rare, and a device costs one question to learn again.
    func forget() {
        state.withLock { state in
            state.viewers = BoundedCache(capacity: 100_000)
            state.removals += 1
        }
    }
}
