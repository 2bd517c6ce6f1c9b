package import DwellAPI
import Foundation

/// Tells the time; tests set it.
package struct WallClock: Sendable {
    /// The time now.
    package let now: @Sendable () -> Timestamp

    /// A clock that asks `now` each time.
    package init(now: @Sendable @escaping () -> Timestamp) {
        self.now = now
    }

    /// The machine's clock.
    package static let system = WallClock { Timestamp(Date()) }
}
