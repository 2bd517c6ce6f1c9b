import DwellAPI
import Foundation

/// Sessions that a client opens by name, for a video or for its time on the platform, and moves forward.
package struct WatchTime: Sendable {
    private let database: any Database
    private let writer: BeatWriter
    private let settings: BeatSettings
    private let clock: WallClock

    /// - Parameters:
    ///   - database: Where sessions are
    ///   - writer: Takes the beats
    ///   - settings: How beats become segments
    ///   - clock: For the times of arrival
    package init(database: any Database, writer: BeatWriter, settings: BeatSettings, clock: WallClock) {
        self.database = database
        self.writer = writer
        self.settings = settings
        self.clock = clock
    }

    /// Makes an entry.
    /// - Parameters:
    ///   - login: Whose
    ///   - video: The video's name; `nil` for time on the platform
    ///   - earlier: The entry that the client had; it is brought up to date and closed first
    /// - Throws: ``InvalidField`` named `videoId`
    package func start(_ login: Login, video: String?, earlier: Int64?) async throws -> Entry {
        if let video, !BeatRules.isText(video, 1...255) {
            throw InvalidField("videoId", expected: "1 to 255 bytes, none of them 0")
        }
        let now = clock.now()
        let (entry, fresh, moment) = try await database.write { [settings] connection in
            var store = BeatStore(connection: connection, settings: settings)
            let entry = try store.enter(login, video: video, closing: earlier, at: now)
            return (entry, store.contents.fresh, store.contents.moment)
        }
        settings.contents.remember(fresh, since: moment)
        return entry
    }

    /// Moves an entry's session forward.
    /// - Returns: Whether it is this viewer's
    package func log(_ login: Login, entry: Int64) async throws -> Bool {
        let source = Beat.Source.account(viewer: login.viewer, entry: entry)
        return try await writer.store(Beat(source: source, arrival: clock.now(), content: .playback)).entry != nil
    }
}
