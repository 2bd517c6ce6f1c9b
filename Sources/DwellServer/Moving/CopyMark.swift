/// The note in a store that it is an unfinished copy, and of which store. It goes when the copy was verified.
struct CopyMark {
    /// The setting that holds it.
    static let setting = "unfinished_copy"

    let connection: any DatabaseConnection

    /// The lineage of the store that this one is an unfinished copy of.
    func source() throws -> String? {
        try connection.row("SELECT value FROM setting WHERE name = $1", [Self.setting])?["value"]
    }

    func set(source: String) throws {
        try connection.execute(
            """
            INSERT INTO setting (name, value) VALUES ($1, $2)
            ON CONFLICT (name) DO UPDATE SET value = excluded.value
            """, [Self.setting, source])
    }

    func remove() throws {
        try connection.execute("DELETE FROM setting WHERE name = $1", [Self.setting])
    }
}
