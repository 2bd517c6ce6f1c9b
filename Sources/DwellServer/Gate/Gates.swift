import DwellAPI
import Foundation

/// Every gate there is.
struct Gates: Sendable {
    private let gates: [Gate]
    private let database: any Database
    private let clock: WallClock

    /// - Parameters:
    ///   - rules: Of each gate; one has the name ``GateRules/standardName``
    ///   - database: Where visitors and sessions are
    ///   - announcements: Tells of revocations on other nodes
    ///   - days: Cuts the days that sessions begin on
    ///   - clock: For the session's start and the passes' end
    ///   - secret: Signs session cookies and passes
    ///   - codes: Mails codes
    init(
        rules: [GateRules], database: any Database, announcements: Announcements, days: LocalDays, clock: WallClock,
        secret: SecretKey, codes: MailedCodes
    ) {
        self.database = database
        self.clock = clock
        gates = rules.map { rules in
            Gate(
                rules: rules, database: database, announcements: announcements, days: days, clock: clock,
                secret: secret, codes: codes)
        }
    }

    /// The gate of a name; without one, the standard gate.
    /// - Throws: ``InvalidField`` named `gate`
    func gate(named name: String?) throws(InvalidField) -> Gate {
        guard let gate = gates.first(where: { $0.rules.name == name ?? GateRules.standardName }) else {
            throw InvalidField("gate", expected: "the name of a gate that there is")
        }
        return gate
    }

    /// The gates that a page lies behind: by its name, and by where it really is, the closest of each.
    /// - Parameter places: As ``Site/places(of:)`` tells them
    func guarding(_ places: [[String]]) -> [Gate] {
        let closest = places.compactMap { place in
            gates.map { (gate: $0, depth: $0.rules.depth(over: place) ?? 0) }.filter { $0.depth > 0 }
                .max { $0.depth < $1.depth }?.gate
        }
        return closest.reduce(into: []) { found, gate in
            if !found.contains(where: { $0.rules.name == gate.rules.name }) { found.append(gate) }
        }
    }

    /// Lets a visitor in who shows the code that was mailed.
    /// - Parameters:
    ///   - code: The code
    ///   - browser: What the browser was told that asked for it
    /// - Returns: The gate, the new session, and where the visitor wanted to go
    /// - Throws: ``AccountError/codeRefused``, or ``GateError``
    func confirm(
        _ code: String, browser: String?, from address: ClientAddress?
    ) async throws -> (gate: Gate, entry: Entry, target: String) {
        guard let browser else { throw AccountError.codeRefused }
        let now = clock.now()
        let outcome = try await database.write { connection -> Result<(Gate, Entry, String), any Error> in
            let found = try MailedCodeQueries(connection: connection)
                .redeem(code, for: .gate, browser: browser, at: now)
            guard let found, let entrance = found.entrance, let gate = try? gate(named: entrance.gate) else {
                return .failure(AccountError.codeRefused)
            }
            do throws(any Error) {
                return .success(
                    (gate, try gate.admit(found.email, from: address, at: now, connection), entrance.target))
            } catch let error as GateError {
                return .failure(error)
            }
        }
        // Thrown out here, so that the try it cost is stored.
        return try outcome.get()
    }
}
