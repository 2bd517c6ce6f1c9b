import DwellAPI
import Foundation
package import Logging
internal import ServiceLifecycle

/// Sends mails in the background. They wait in the database, written there by the transaction that they tell of: none is
/// lost with the process, and none is sent for what did not happen.
package struct Outbox: Service {
    /// For how long a mail is tried that holds no code, in milliseconds: a day.
    static let noticeLifetime: Int64 = 86_400_000
    /// The most mails that may wait; who could not get one can ask again.
    private static let capacity = 10_000
    /// For how long a mail is one node's, in milliseconds: longer than sending can take.
    private static let turn: Int64 = 60_000
    /// The longest pause before a mail is tried again, in milliseconds.
    private static let longestPause: Int64 = 300_000

    /// How people reach the server, without a slash at the end.
    let publicURL: String
    private let settings: MailSettings
    private let gates: [GateRules]
    private let database: any Database
    private let clock: WallClock
    private let logger: Logger
    private let form: LetterForm

    /// - Parameters:
    ///   - settings: Whom mails are from, and where they go
    ///   - publicURL: How people reach the server, without a slash at the end
    ///   - gates: Say whom codes for them go to
    ///   - database: Where mails wait
    ///   - clock: Says whose turn it is
    ///   - logger: Told of each mail's fate, never of its text
    package init(
        _ settings: MailSettings, publicURL: String, gates: [GateRules] = [], database: any Database,
        clock: WallClock, logger: Logger
    ) throws {
        self.settings = settings
        self.publicURL = publicURL
        self.gates = gates
        self.database = database
        self.clock = clock
        self.logger = logger
        form = try LetterForm()
    }

    /// Queues a letter in the transaction of what it tells of.
    /// - Parameters:
    ///   - letter: What it says
    ///   - address: Whom it goes to; nothing is sent unless an account has this address by then, or it may enter the gate
    ///   - gate: The gate that the letter has a code for
    ///   - end: When it is worth nothing any more
    func queue(
        _ letter: Letter, to address: String, gate: String? = nil, at time: Timestamp, until end: Timestamp,
        _ connection: any DatabaseConnection
    ) throws {
        let queries = MailQueries(connection: connection)
        guard try queries.count() < Self.capacity else {
            return logger.error("no room for a mail", metadata: ["kind": "\(letter.kind)"])
        }
        let id = UUID()
        let message = form.message(
            letter, from: settings.sender, to: Mailbox(address: address), id: id, at: time)
        try queries.insert(
            QueuedMail(
                id: id, kind: letter.kind, recipient: address, message: message, attempts: 0, expiresAt: end,
                gate: gate),
            at: time)
    }

    /// Sends until a graceful stop.
    package func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            var isAway = false
            while !Task.isCancelled {
                do {
                    while try await sendNext() {}
                    isAway = false
                } catch is CancellationError {
                    return
                } catch {
                    if !isAway { logger.error("mails not read", metadata: ["cause": "\(error)"]) }
                    isAway = true
                }
                try? await Task.sleep(for: .seconds(1))
            }
        }
    }

    /// Sends the mail whose turn it is.
    /// - Returns: Whether there was one
    private func sendNext() async throws -> Bool {
        let now = clock.now()
        guard try await database.read({ try MailQueries(connection: $0).isAnyDue(at: now) }),
            let mail = try await database.write({
                try MailQueries(connection: $0).take(at: now, until: now + Self.turn)
            })
        else { return false }
        guard try await database.read({ try hasReader(mail, $0) }) else {
            try await remove(mail)
            return true
        }
        guard now < mail.expiresAt else {
            try await giveUp(mail, "it came to its end while it waited")
            return true
        }
        do {
            try await settings.way.send(mail, from: settings.sender.address)
            try await remove(mail)
            logger.info("mail sent", metadata: Self.metadata(mail))
        } catch let refusal as MailRefusal where refusal.isFinal {
            try await giveUp(mail, refusal.reason)
        } catch let refusal as MailRefusal {
            try await postpone(mail, refusal.reason)
        }
        return true
    }

    /// Whether a mail is to be sent at all. That is asked here and not when it is queued, so that nobody can tell from the
    /// time that an answer takes.
    private func hasReader(_ mail: QueuedMail, _ connection: any DatabaseConnection) throws -> Bool {
        guard let name = mail.gate else { return try AccountQueries(connection: connection).hasEmail(mail.recipient) }
        guard let gate = gates.first(where: { $0.name == name }), gate.admits(mail.recipient) else { return false }
        return try !GateQueries(connection: connection).isRevoked(mail.recipient, at: name)
    }

    private func postpone(_ mail: QueuedMail, _ reason: String) async throws {
        // 2 s, 4 s, 8 s, …
        let pause = min(1000 << Int64(min(mail.attempts, 16)), Self.longestPause)
        let next = clock.now() + pause
        try await database.write { try MailQueries(connection: $0).postpone(mail.id, until: next) }
        logger.warning(
            "mail not sent yet", metadata: Self.metadata(mail).merging(["cause": "\(reason)"]) { first, _ in first })
    }

    private func giveUp(_ mail: QueuedMail, _ reason: String) async throws {
        try await remove(mail)
        logger.error(
            "mail given up", metadata: Self.metadata(mail).merging(["cause": "\(reason)"]) { first, _ in first })
    }

    private func remove(_ mail: QueuedMail) async throws {
        try await database.write { try MailQueries(connection: $0).remove(mail.id) }
    }

    private static func metadata(_ mail: QueuedMail) -> Logger.Metadata {
        ["mail": "\(mail.id.lowercase)", "kind": "\(mail.kind)", "attempt": "\(mail.attempts)"]
    }
}
