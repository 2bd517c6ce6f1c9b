/// A table of the store, as far as carrying it to another store goes.
package struct StoreTable: Sendable {
    /// The name in the schema.
    package let name: String
    /// The primary key's columns, in its order.
    let key: [Column]
    /// Rows that belong to the store they are in and not to its data.
    let stays: String?

    /// A column of a key.
    struct Column: Sendable {
        let name: String
        let isText: Bool

        static func number(_ name: String) -> Column { Column(name: name, isText: false) }
        static func text(_ name: String) -> Column { Column(name: name, isText: true) }

        /// The column where order matters: byte by byte in every database, whatever its locale.
        func ordered(in dialect: SQLDialect) -> String {
            isText && dialect == .postgres ? #""\#(name)" COLLATE "C""# : #""\#(name)""#
        }
    }

    private init(_ name: String, key: [Column], stays: String? = nil) {
        self.name = name
        self.key = key
        self.stays = stays
    }

    /// Every table that is copied, each after those that it refers to.
    package static let all = [
        StoreTable("setting", key: [.text("name")], stays: "name = '\(NoteQueries.Note.unfinishedCopy.rawValue)'"),
        StoreTable("viewer", key: [.number("id")]),
        StoreTable("account", key: [.text("id")]),
        StoreTable("device", key: [.text("id")]),
        StoreTable("content", key: [.number("id")]),
        StoreTable("exclusion", key: [.number("viewer_id")]),
        StoreTable("session", key: [.number("viewer_id"), .number("id")]),
        StoreTable("segment", key: [.number("viewer_id"), .number("entry_id"), .text("tab"), .number("n")]),
        StoreTable("daily_statistic", key: [.number("viewer_id"), .number("day"), .number("content_id")]),
        StoreTable("dirty_day", key: [.number("viewer_id"), .number("day")]),
        StoreTable("span_total", key: [.number("length"), .number("number"), .number("content_id")]),
        StoreTable("span_viewers", key: [.number("content_id"), .number("length"), .number("number")]),
        StoreTable("stale_span", key: [.number("length"), .number("number"), .number("content_id")]),
        StoreTable("video", key: [.number("id")]),
        StoreTable("coverage", key: [.number("viewer_id"), .number("video_id")]),
        StoreTable("folded_coverage", key: [.number("viewer_id"), .number("video_id")]),
        StoreTable("told_duration", key: [.number("video_id"), .number("duration_ms")]),
        StoreTable("dirty_video", key: [.number("viewer_id"), .number("video_id")]),
        StoreTable("api_key", key: [.text("id")]),
        StoreTable("gate_visitor", key: [.text("gate"), .number("viewer_id")]),
        StoreTable("gate_revocation", key: [.text("email"), .text("gate")]),
        StoreTable("audit", key: [.text("id")]),
        StoreTable("operator", key: [.text("id")]),
        StoreTable("webhook", key: [.text("id")]),
        StoreTable("webhook_delivery", key: [.text("id")]),
        StoreTable("session_to_tell", key: [.number("viewer_id"), .number("session_id")]),
        StoreTable("told_session", key: [.number("viewer_id"), .number("session_id")]),
        StoreTable("erasure", key: [.text("id")]),
        StoreTable("erasing", key: [.number("viewer_id")]),
        StoreTable("erasing_content", key: [.text("erasure_id"), .number("content_id")]),
    ]

    /// Tables that each store has for itself: the steps that were applied to it, SQLite's sequences, whose numbers are
    /// carried over by ``SequenceQueries``, what its nodes told each other a moment ago, tickets that last minutes, mails
    /// that wait, with the codes in them, what plays, and where operators are signed in.
    package static let own: Set = [
        "schema_migration", "sequence", "job", "announcement", "device_ticket", "mail", "mailed_code", "viewing",
        "sign_in",
    ]
}
