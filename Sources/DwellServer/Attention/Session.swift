package import DwellAPI
package import Foundation

/// One viewer on one device, from the first beat until 30 minutes of silence.
package struct Session: Sendable, Equatable {
    /// How long a session outlives its last sign of life, in milliseconds.
    package static let silence: Int64 = 30 * 60 * 1000

    package let viewer: Int64
    package let id: Int64
    package private(set) var startedAt: Timestamp
    /// The last sign of life.
    package var lastSeenAt: Timestamp
    /// The end of its reach, once that is fixed: it was closed by name, or another session followed it.
    package let closedAt: Timestamp?
    package let device: UUID?
    /// The number of the video that the session was opened for.
    package let videoID: Int64?
    /// The session that this one followed.
    package let continues: Int64?

    /// The last moment at which attention still belongs to this session; what comes later opens the next one.
    package var boundary: Timestamp { closedAt ?? lastSeenAt + Session.silence }

    /// The same session, begun at another time.
    func started(at time: Timestamp) -> Session {
        var session = self
        session.startedAt = time
        return session
    }
}
