package import DwellAPI
package import Foundation

/// One viewer on one device, from the first beat until 30 minutes of silence.
package struct Session: Sendable, Equatable {
    /// How long a session outlives its last sign of life, in milliseconds.
    package static let silence: Int64 = 30 * 60 * 1000

    package let viewer: Int64
    package let id: Int64
    package let startedAt: Timestamp
    /// The last sign of life.
    package var lastSeenAt: Timestamp
    /// When it was closed by name; silence closes without a mark.
    package let closedAt: Timestamp?
    package let device: UUID?
    /// The number of the video that the session was opened for.
    package let videoID: Int64?
    /// The session that fell silent before this one.
    package let continues: Int64?

    /// The last moment at which attention still belongs to this session; what comes later opens the next one.
    package var boundary: Timestamp { closedAt ?? lastSeenAt + Session.silence }
}
