import Synchronization

/// What the database said, remembered as long as this node hears of every change to it.
final class Remembered<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    /// When the database was asked.
    struct Moment {
        /// Whether all changes were known.
        fileprivate let isCurrent: Bool
        /// Counts changes: what was read before one may be what it changed.
        fileprivate let changes: Int
    }

    private struct State {
        var values: BoundedCache<Key, Value>
        var changes = 0
    }

    private let capacity: Int
    private let announcements: Announcements?
    private let state: Mutex<State>

    /// - Parameters:
    ///   - capacity: How many values are remembered
    ///   - topic: What changes them
    ///   - announcements: Tells of changes; without them nothing is remembered
    init(capacity: Int, topic: Announcements.Topic, announcements: Announcements?) {
        self.capacity = capacity
        self.announcements = announcements
        state = Mutex(State(values: BoundedCache(capacity: capacity)))
        announcements?.onNews { [weak self] news, _ in
            if news == topic { self?.forget() }
        }
    }

    /// To be taken before the database is asked.
    var moment: Moment {
        Moment(isCurrent: announcements?.isCurrent ?? false, changes: state.withLock { $0.changes })
    }

    /// What is known; `nil` when the database has to be asked.
    func value(for key: Key) -> Value? {
        guard announcements?.isCurrent ?? false else { return nil }
        return state.withLock { $0.values[key] }
    }

    /// Remembers what the database said, unless something changed since it was asked.
    func remember(_ value: Value, for key: Key, since moment: Moment) {
        guard moment.isCurrent else { return }
        state.withLock { state in
            if state.changes == moment.changes { state.values.insert(value, for: key) }
        }
    }

    /// Forgets everything: changes are rare, and a value costs one question to learn again.
    private func forget() {
        state.withLock { state in
            state.values = BoundedCache(capacity: capacity)
            state.changes += 1
        }
    }
}
