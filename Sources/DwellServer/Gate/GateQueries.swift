import DwellAPI

/// What is asked of, and told to, the viewer table by the gate.
struct GateQueries {
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
}
