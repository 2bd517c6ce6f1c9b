/// What a store notes of itself, one text under each name: the `setting` table.
struct NoteQueries {
    /// What can be noted.
    enum Note: String {
        /// The time zone that days are cut in.
        case timeZone = "time_zone"
        /// The end of the days that are folded, see ``Retention``, in milliseconds.
        case foldedBefore = "folded_before"
        /// How fast a video may be watched to count, see ``Watched``.
        case creditRate = "credit_rate"
        /// The lineage of the store that this one is an unfinished copy of.
        case unfinishedCopy = "unfinished_copy"
        /// Up to when sessions were looked for that ended, see ``EndedSessions``, in milliseconds.
        case endedThrough = "ended_through"
    }

    let connection: any DatabaseConnection

    /// What is noted; `nil` when nothing is.
    func text(of note: Note) throws -> String? {
        try connection.row("SELECT value FROM setting WHERE name = $1", [note.rawValue])?["value"]
    }

    /// Notes a text in place of the one before.
    func set(_ note: Note, to text: String) throws {
        try connection.execute(
            """
            INSERT INTO setting (name, value) VALUES ($1, $2)
            ON CONFLICT (name) DO UPDATE SET value = excluded.value
            """, [note.rawValue, text])
    }

    func remove(_ note: Note) throws {
        try connection.execute("DELETE FROM setting WHERE name = $1", [note.rawValue])
    }
}
