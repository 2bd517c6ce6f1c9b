import DwellAPI

/// What is asked of, and told to, the tables of viewers, sessions and revocations by the gates.
struct GateQueries {
    /// Stands for every gate.
    static let everyGate = "*"

    let connection: any DatabaseConnection

    /// The number of the guest with an email; made on the first visit.
    func guest(email: String, now: Timestamp) throws -> Int64 {
        if let row = try connection.row("SELECT id FROM viewer WHERE email = $1", [email]) { return try row["id"] }
        let id = try connection.nextNumber(of: .viewer)
        try connection.execute(
            "INSERT INTO viewer (id, kind, email, created_at) VALUES ($1, $2, $3, $4)",
            [id, ViewerKind.guest, email, now])
        return id
    }

    /// Who got a pass with an entry; `nil` when there is no such entry, or it was revoked.
    func holder(of entry: EntryKey) throws -> PassHolder? {
        try connection.row(
            """
            SELECT viewer.email, session.identity FROM session JOIN viewer ON viewer.id = session.viewer_id
            WHERE session.viewer_id = $1 AND session.id = $2 AND session.entry_id = session.id
                AND session.revoked_at IS NULL AND viewer.email IS NOT NULL
            """, [entry.viewer, entry.entry]
        ).map { PassHolder(email: try $0["email"], identity: try $0["identity"] ?? .claimed) }
    }

    /// Whether an address is kept out of a gate, or of all.
    func isRevoked(_ email: String, at gate: String) throws -> Bool {
        try connection.row(
            "SELECT 1 AS one FROM gate_revocation WHERE email = $1 AND gate IN ($2, $3) LIMIT 1",
            [EmailAddress.comparable(email), gate, Self.everyGate]) != nil
    }

    /// Keeps an address out of a gate, or of all, and ends the entries that it has.
    /// - Returns: How many entries there were
    func revoke(_ email: String, at gate: String, now: Timestamp) throws -> Int {
        try connection.execute(
            """
            INSERT INTO gate_revocation (email, gate, revoked_at) VALUES ($1, $2, $3)
            ON CONFLICT (email, gate) DO NOTHING
            """, [EmailAddress.comparable(email), gate, now])
        return try guests(of: email).reduce(0) { count, viewer in
            try count
                + connection.execute(
                    """
                    UPDATE session SET revoked_at = $2
                    WHERE viewer_id = $1 AND entry_id = id AND revoked_at IS NULL
                        AND ($3 = $4 OR coalesce(gate, $5) = $3)
                    """, [viewer, now, gate, Self.everyGate, GateRules.standardName])
        }
    }

    /// The numbers of the guests with an email, however they wrote its domain.
    private func guests(of email: String) throws -> [Int64] {
        let local = email.prefix { $0 != "@" }
        // All with the same before the `@`: `A` is the character behind it.
        return try connection.rows(
            "SELECT id, email FROM viewer WHERE email >= $1 AND email < $2", ["\(local)@", "\(local)A"]
        ).filter { try EmailAddress.comparable($0["email"]) == EmailAddress.comparable(email) }.map { try $0["id"] }
    }

    /// Lets an address in again. Entries that were ended stay so.
    /// - Returns: Whether it was kept out
    func admit(_ email: String, at gate: String) throws -> Bool {
        try connection.execute(
            "DELETE FROM gate_revocation WHERE email = $1 AND ($2 = $3 OR gate = $2)",
            [EmailAddress.comparable(email), gate, Self.everyGate]) > 0
    }

    /// Who entered, those who came last first.
    func visitors() throws -> [GateVisitor] {
        try connection.rows(
            """
            SELECT viewer.email, coalesce(session.gate, $1) AS gate, coalesce(session.identity, $2) AS identity,
                count(*) AS entries, min(session.started_at) AS first_at, max(session.started_at) AS last_at
            FROM session JOIN viewer ON viewer.id = session.viewer_id
            WHERE session.entry_id = session.id AND viewer.email IS NOT NULL
            GROUP BY viewer.email, coalesce(session.gate, $1), coalesce(session.identity, $2)
            ORDER BY max(session.started_at) DESC, viewer.email
            """, [GateRules.standardName, VisitorIdentity.claimed]
        ).map { row in
            let (email, gate): (String, String) = (try row["email"], try row["gate"])
            return GateVisitor(
                email: email, gate: gate, identity: try row["identity"], entries: try row["entries"],
                firstEntryTime: try row["first_at"], lastEntryTime: try row["last_at"],
                revoked: try isRevoked(email, at: gate))
        }
    }
}
