import DwellAPI
import Foundation

/// A gate: a visitor leaves an address, confirms it where that is asked for, and gets a pass. The time on the pages behind
/// it goes on a record of that address.
package struct Gate: Sendable {
    package let rules: GateRules
    private let database: any Database
    private let days: LocalDays
    private let clock: WallClock
    private let tokens: EntryTokens
    private let passes: SignedToken
    private let holders: PassHolders
    private let codes: MailedCodes

    /// - Parameters:
    ///   - rules: What it guards, and whom it lets in
    ///   - database: Where visitors and sessions are
    ///   - announcements: Tells of revocations on other nodes; without them each request asks the database
    ///   - days: Cuts the days that sessions begin on
    ///   - clock: For the session's start and the passes' end
    ///   - secret: Signs session cookies and passes
    ///   - codes: Mails codes, where addresses are to be confirmed
    package init(
        rules: GateRules = .standard, database: any Database, announcements: Announcements? = nil, days: LocalDays,
        clock: WallClock, secret: SecretKey, codes: MailedCodes? = nil
    ) {
        self.rules = rules
        self.database = database
        self.days = days
        self.clock = clock
        tokens = EntryTokens(secret: secret, clock: clock)
        // A key of its own: a pass for one gate opens no other.
        passes = SignedToken(
            keys: secret.derived(for: .access, named: rules.name == GateRules.standardName ? nil : rules.name))
        holders = PassHolders(database: database, announcements: announcements)
        self.codes = codes ?? MailedCodes(database: database, outbox: nil, clock: clock)
    }

    /// How long cookies last, in seconds.
    var lifetime: Int { Int(rules.passLifetime / 1000) }

    /// - Throws: ``GateError/closed(at:)``
    func checkOpen() throws(GateError) { try rules.checkOpen(at: clock.now()) }

    /// Opens a new session for whoever says to own an address; one visitor has many.
    /// - Throws: ``InvalidField`` named `email`, or ``GateError``
    package func enter(email: String, from address: ClientAddress? = nil) async throws -> Entry {
        let email = try EmailAddress.normalize(email)
        let now = clock.now()
        return try await database.write { try admit(email, from: address, at: now, $0) }
    }

    /// Mails a code to an address, if it may enter. What is done and answered here is the same if it may not: who asks
    /// can't tell.
    /// - Parameters:
    ///   - email: The address
    ///   - target: Where the visitor wants to go
    ///   - host: Whom the request was sent to: the code is good there
    /// - Returns: What the browser that asked has to show with the code
    /// - Throws: ``InvalidField`` named `email`, ``GateError/closed(at:)``, ``MailError/notSetUp``, or
    ///   ``TooManyTries``
    func askForCode(
        email: String, target: String, host: String?, from address: ClientAddress?
    ) async throws -> String {
        let email = try EmailAddress.normalize(email)
        try checkOpen()
        let entrance = MailedCode.Entrance(gate: rules.name, target: target, site: rules.site(ofHost: host))
        return try await codes.ask(for: .gate, email: email, entrance: entrance, from: address)
    }

    /// Lets an address in: every entry comes by here, whether it was claimed or confirmed by a code.
    /// - Throws: ``GateError``
    func admit(
        _ email: String, from address: ClientAddress?, at time: Timestamp, _ connection: any DatabaseConnection
    ) throws -> Entry {
        try rules.checkOpen(at: time)
        let queries = GateQueries(connection: connection)
        guard rules.admits(email), try !queries.isRevoked(email, at: rules.name) else {
            throw GateError.addressRefused
        }
        let guest = try queries.guest(email: email, now: time)
        try GateVisitorQueries(connection: connection)
            .note(guest, through: Entry.Gateway(gate: rules.name, identity: rules.level.identity), at: time)
        try AuditLog.write(
            AuditEntry(
                .gate, at: time, viewer: guest, subject: email, address: address, detail: ["gate": rules.name]),
            connection)
        // Whether or not a beat ever follows.
        try SegmentQueries(connection: connection).markDirty([ViewerDay(viewer: guest, day: days.day(of: time))])
        let gateway = Entry.Gateway(gate: rules.name, identity: rules.level.identity)
        let entry = try SessionQueries(connection: connection).enter(guest: guest, through: gateway, at: time)
        try WebhookOutbox(connection: connection).tell(about: guest, at: time) {
            GateEntry(
                viewer: ViewerRecord(id: guest, kind: .guest, email: email, username: nil), gate: gateway.gate,
                identity: gateway.identity, sessionId: entry.id)
        }
        return entry
    }

    /// The value of `session_record_id`: names the session whose record beats move.
    package func sessionCookie(for entry: Entry) -> String {
        tokens.token(viewer: entry.viewer, entry: entry.id, lifetime: rules.passLifetime)
    }

    /// The value of the cookie that opens the pages behind the gate.
    package func pass(for entry: Entry) -> String {
        passes.value(
            of: SignedToken.Content(
                viewer: entry.viewer, entry: entry.id, expiresAt: clock.now() + rules.passLifetime))
    }

    /// Whom a pass lets in now.
    /// - Returns: `nil` when it is forged, past its end, or revoked; when the gate has closed; or when the lists keep its
    ///   holder out by now
    func holder(ofPass pass: String?) async throws -> PassHolder? {
        let now = clock.now()
        guard let named = pass.flatMap({ passes.content(of: $0, now: now) }), rules.closesAt.map({ now < $0 }) ?? true,
            let holder = try await holders.holder(
                of: EntryKey(viewer: named.viewer, entry: named.entry), at: rules.name),
            rules.admits(holder.email), holder.identity == .verified || rules.level == .open
        else { return nil }
        return holder
    }
}
