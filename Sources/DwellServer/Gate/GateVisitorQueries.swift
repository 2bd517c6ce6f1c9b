package import DwellAPI

/// What is asked of, and told to, the table of those who came through gates.
struct GateVisitorQueries {
    /// More visitors than these are not counted.
    private static let countLimit = 100_000

    let connection: any DatabaseConnection

    /// Notes an entry of a guest; of an account nothing is noted.
    func note(_ viewer: Int64, through gateway: Entry.Gateway, at time: Timestamp) throws {
        try connection.execute(Self.note, [gateway.gate, viewer, gateway.identity, time])
    }

    /// What old records tell of may have been before what is known.
    private static let note = SQLStatement(
        """
        INSERT INTO gate_visitor (gate, viewer_id, identity, entries, first_at, last_at)
        SELECT CAST($1 AS TEXT), id, CAST($3 AS TEXT), 1, CAST($4 AS BIGINT), CAST($4 AS BIGINT) FROM viewer
        WHERE id = $2 AND kind = 'guest'
        ON CONFLICT (gate, viewer_id) DO UPDATE SET entries = gate_visitor.entries + 1,
            first_at = CASE WHEN excluded.first_at < gate_visitor.first_at
                THEN excluded.first_at ELSE gate_visitor.first_at END,
            identity = CASE WHEN excluded.last_at >= gate_visitor.last_at
                THEN excluded.identity ELSE gate_visitor.identity END,
            last_at = CASE WHEN excluded.last_at > gate_visitor.last_at
                THEN excluded.last_at ELSE gate_visitor.last_at END
        """)

    /// A gate's visitors before one, those who came last first.
    func page(of gate: String, after cursor: LatestCursor, limit: Int) throws -> [ListedVisitor] {
        let gates = GateQueries(connection: connection)
        return try connection.rows(
            """
            SELECT visitor.viewer_id AS id, viewer.kind, viewer.email, NULL AS username, visitor.identity,
                visitor.entries, visitor.first_at, visitor.last_at
            FROM (
                SELECT * FROM gate_visitor
                WHERE gate = $1 AND (last_at, viewer_id) < ($2, $3)
                    AND viewer_id NOT IN (SELECT viewer_id FROM erasing)
                ORDER BY last_at DESC, viewer_id DESC LIMIT $4
            ) AS visitor JOIN viewer ON viewer.id = visitor.viewer_id
            ORDER BY visitor.last_at DESC, visitor.viewer_id DESC
            """, [gate, cursor.at, Int64(cursor.id) ?? 0, limit]
        ).map { row in
            let viewer = try ViewerRecord(row: row)
            return ListedVisitor(
                viewer: viewer, identity: try row["identity"], entries: try row["entries"],
                firstEntryTime: try row["first_at"], lastEntryTime: try row["last_at"],
                isRevoked: try gates.isRevoked(viewer.email, at: gate),
                isRevokedEverywhere: try gates.isRevoked(viewer.email, at: GateQueries.everyGate))
        }
    }

    /// How many visitors a gate has, but for those who count in no total.
    func count(of gate: String) throws -> VisitorCount {
        let count: Int? = try connection.row(
            """
            SELECT count(*) AS count FROM (
                SELECT 1 FROM gate_visitor WHERE gate = $1 AND viewer_id NOT IN \(ExclusionQueries.all) LIMIT $2
            ) AS found
            """, [gate, Self.countLimit + 1])?["count"]
        return VisitorCount(count: min(count ?? 0, Self.countLimit), isAtLeast: (count ?? 0) > Self.countLimit)
    }
}

/// Somebody who came through a gate, as the gate's page lists them.
package struct ListedVisitor: Sendable, Equatable {
    package let viewer: ViewerRecord
    /// How sure the address was at the last entry.
    package let identity: VisitorIdentity
    package let entries: Int
    package let firstEntryTime: Timestamp
    package let lastEntryTime: Timestamp
    /// Whether the address is kept out of this gate by now.
    package let isRevoked: Bool
    /// Whether it is kept out of every gate.
    package let isRevokedEverywhere: Bool

    /// What programs are told of it.
    var record: GateVisitorRecord {
        GateVisitorRecord(
            email: viewer.email, identity: identity, entries: entries, firstEntryTime: firstEntryTime,
            lastEntryTime: lastEntryTime, revoked: isRevoked)
    }

    var cursor: LatestCursor { LatestCursor(at: lastEntryTime, id: "\(viewer.id)") }
}

/// How many visitors there are.
package struct VisitorCount: Sendable, Equatable {
    package let count: Int
    /// Whether there are more, which nobody counted.
    package let isAtLeast: Bool
}
