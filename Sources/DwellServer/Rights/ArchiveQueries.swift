import DwellAPI
import Foundation

/// What an archive asks beside exports.
struct ArchiveQueries {
    /// How many rows one page has.
    private static let pageSize = 500

    let connection: any DatabaseConnection

    /// Who viewers are.
    func people(_ viewers: [Int64]) throws -> [ArchivedViewer] {
        let excluded = try ExclusionQueries(connection: connection).list(viewers)
        return try viewers.flatMap { viewer in
            try connection.rows(
                """
                SELECT viewer.id AS viewer_id, viewer.kind AS viewer_kind, viewer.created_at AS made_at,
                    coalesce(viewer.email, account.email) AS known_email, account.*
                FROM viewer LEFT JOIN account ON account.viewer_id = viewer.id WHERE viewer.id = $1
                """, [viewer]
            ).map { row in
                ArchivedViewer(
                    viewer: ViewerRecord(
                        id: try row["viewer_id"], kind: try row["viewer_kind"], email: try row["known_email"],
                        username: try row["username"]),
                    createdTime: try row["made_at"],
                    account: try (row["id"] as UUID?).map { try ArchivedAccount($0, row: row) },
                    excludedFor: excluded.first { $0.viewer.id == viewer }?.reason)
            }
        }
    }

    /// Every device that an account of theirs was ever logged in on, the latest login first.
    func devices(of viewers: [Int64]) throws -> [ArchivedDevice] {
        try viewers.flatMap { viewer in
            try connection.rows(
                """
                SELECT device.id, device.name, device.given_name, device.os, device.last_logged_in_at,
                    device.last_seen_at, device.address, device.removed_at, device.removal
                FROM device JOIN account ON account.id = device.account_id
                WHERE account.viewer_id = $1 ORDER BY device.last_logged_in_at DESC, device.id
                """, [viewer]
            ).map { try ArchivedDevice(viewer: viewer, row: $0) }
        }
    }

    /// Entries by which guests came in, the first one first.
    /// - Parameter last: The entry that the page before ended with
    func entries(of viewers: [Int64], after last: EntryKey?) throws -> (rows: [ArchivedEntry], next: EntryKey?) {
        for viewer in viewers where viewer >= last?.viewer ?? .min {
            let rows = try connection.rows(
                """
                SELECT id, started_at, gate, identity, revoked_at FROM session
                WHERE viewer_id = $1 AND id > $2 AND entry_id = id AND device_id IS NULL
                ORDER BY viewer_id, id LIMIT $3
                """, [viewer, last?.viewer == viewer ? last?.entry ?? 0 : 0, Self.pageSize])
            guard let end = rows.last else { continue }
            return (
                try rows.map { try ArchivedEntry(viewer: viewer, row: $0) },
                EntryKey(viewer: viewer, entry: try end["id"])
            )
        }
        return ([], nil)
    }

    /// Lines of the audit log about people: by their numbers, accounts and emails.
    func auditLines(about people: [ArchivedViewer]) throws -> [AuditRecord] {
        let queries = AuditQueries(connection: connection)
        let found = try people.flatMap { person in
            try queries.lines(
                viewer: person.viewer.id, account: person.account?.id, email: person.viewer.email)
        }
        // An email that is a guest's and an account's brings lines twice.
        return Dictionary(found.map { ($0.cursor.id, $0) }, uniquingKeysWith: { first, _ in first }).values
            .sorted { ($0.at, $0.cursor.id) < ($1.at, $1.cursor.id) }
    }
}

/// What an archive says of a viewer.
struct ArchivedViewer: Encodable {
    let viewer: ViewerRecord
    /// When they were met first.
    let createdTime: Timestamp
    /// `null` for a guest.
    @Nullable var account: ArchivedAccount?
    /// Why what they do counts in no total; `null` when it counts.
    @Nullable var excludedFor: String?
}

/// What an archive says of an account: everything but what its password is checked by.
struct ArchivedAccount: Codable, Hashable {
    let id: String
    let username: String
    let firstName: String
    let lastName: String
    let email: String
    let isVerified: Bool
    @Nullable var phoneNumber: String?
    @Nullable var gender: String?
    @Nullable var countryCode: String?
    @Nullable var profilePictureUrl: String?
    let createdTime: Timestamp
    let updatedTime: Timestamp
    let lastLoginTime: Timestamp
    @Nullable var disabledTime: Timestamp?

    fileprivate init(_ id: UUID, row: Row) throws {
        self.id = id.lowercase
        username = try row["username"]
        firstName = try row["first_name"]
        lastName = try row["last_name"]
        email = try row["email"]
        isVerified = try row["is_verified"]
        _phoneNumber = Nullable(wrappedValue: try row["phone_number"])
        _gender = Nullable(wrappedValue: try row["gender"])
        _countryCode = Nullable(wrappedValue: try row["country_code"])
        _profilePictureUrl = Nullable(wrappedValue: try row["profile_picture_url"])
        createdTime = try row["created_at"]
        updatedTime = try row["updated_at"]
        lastLoginTime = try row["last_logged_in_at"]
        _disabledTime = Nullable(wrappedValue: try row["disabled_at"])
    }
}

/// A line of `devices.ndjson`.
struct ArchivedDevice: Encodable {
    let viewerId: Int64
    let id: String
    let name: String
    /// As its owner named it.
    @Nullable var givenName: String?
    let system: String
    let lastLoginTime: Timestamp
    let lastSeenTime: Timestamp
    /// The network that the last login came from.
    @Nullable var address: String?
    @Nullable var removedTime: Timestamp?
    @Nullable var removal: String?

    fileprivate init(viewer: Int64, row: Row) throws {
        viewerId = viewer
        id = try row["id"]
        name = try row["name"]
        _givenName = Nullable(wrappedValue: try row["given_name"])
        system = try row["os"]
        lastLoginTime = try row["last_logged_in_at"]
        lastSeenTime = try row["last_seen_at"]
        _address = Nullable(wrappedValue: try row["address"])
        _removedTime = Nullable(wrappedValue: try row["removed_at"])
        _removal = Nullable(wrappedValue: try row["removal"])
    }
}

/// A line of `entries.ndjson`.
struct ArchivedEntry: Encodable {
    let viewerId: Int64
    /// The number of the session that began with it.
    let sessionId: Int64
    let time: Timestamp
    let gate: String
    let identity: VisitorIdentity
    @Nullable var revokedTime: Timestamp?

    fileprivate init(viewer: Int64, row: Row) throws {
        viewerId = viewer
        sessionId = try row["id"]
        time = try row["started_at"]
        gate = try row["gate"] ?? GateRules.standardName
        identity = try row["identity"] ?? .claimed
        _revokedTime = Nullable(wrappedValue: try row["revoked_at"])
    }
}
