import DwellAPI
package import Foundation

/// Who tries to do what, as far as it is known.
package struct Attempt: Sendable {
    package let event: AuditEvent
    package var account: UUID?
    /// A name that an account, a guest or a key has. Never what was only typed: people type passwords there.
    package var subject: String?
    package var address: ClientAddress?
    package var device: UUID?

    package init(
        _ event: AuditEvent, account: UUID? = nil, subject: String? = nil, address: ClientAddress?, device: UUID? = nil
    ) {
        self.event = event
        self.account = account
        self.subject = subject
        self.address = address
        self.device = device
    }

    /// How it went, for the audit log.
    func entry(_ outcome: AuditOutcome, _ detail: [String: String] = [:], at time: Timestamp) -> AuditEntry {
        AuditEntry(
            event, outcome, at: time, account: account, subject: subject, address: address, device: device,
            detail: detail)
    }
}

/// Lets people try what could be guessed: as often as the limiter allows, and with a note of every refusal. What
/// succeeds is noted where it is done.
package struct Attempts: Sendable {
    private let limiter: GuessLimiter
    private let audit: AuditLog?
    private let clock: WallClock

    /// - Parameter audit: Without it no refusal is noted
    package init(clock: WallClock, audit: AuditLog? = nil) {
        limiter = GuessLimiter(clock: clock)
        self.audit = audit
        self.clock = clock
    }

    /// Runs a try.
    /// - Parameters:
    ///   - attempt: For the audit log; asked for when there is a refusal to note
    ///   - keys: The buckets that it takes a token of
    ///   - alwaysCounts: Whether it costs the tokens also when it succeeds: where success is what there is too much of
    ///   - body: The try
    /// - Throws: ``TooManyTries``, or what the try throws
    package func run<Value>(
        _ attempt: @autoclosure () async throws -> Attempt, _ keys: [GuessLimiter.Key], alwaysCounts: Bool = false,
        _ body: () async throws -> Value
    ) async throws -> Value {
        do {
            return try await limiter.run(
                keys,
                isSpent: { result in
                    switch result {
                    case .success: alwaysCounts
                    case .failure(let error): Refusal(error)?.isGuess ?? false
                    }
                }, body)
        } catch {
            if let refusal = Refusal(error) {
                let isNews = (error as? TooManyTries)?.isFirst ?? true
                // Who it was may not be known while the store is away.
                if isNews, let attempt = try? await attempt() {
                    audit?.note(attempt.entry(refusal.outcome, ["reason": refusal.reason], at: clock.now()))
                } else {
                    audit?.leaveOut()
                }
            }
            throw error
        }
    }
}

/// What an error says of an attempt.
private struct Refusal {
    let outcome: AuditOutcome
    let reason: String
    /// Whether whoever tried may have guessed.
    let isGuess: Bool

    /// - Returns: `nil` for what is no refusal: a malformed request, a store that is away
    init?(_ error: any Error) {
        switch error {
        case is TooManyTries: self.init(.denied, "too many tries")
        case AccountError.usernameTaken: self.init(.denied, "username taken", isGuess: true)
        case AccountError.emailTaken: self.init(.denied, "email taken", isGuess: true)
        case AccountError.wrongCredentials, AccountError.wrongPassword:
            self.init(.failure, "wrong password", isGuess: true)
        case AccountError.codeRefused: self.init(.failure, "wrong code", isGuess: true)
        case AccountError.disabled: self.init(.denied, "account disabled")
        case DeviceError.limitReached: self.init(.denied, "device limit")
        case DeviceError.ticketUnknown, DeviceError.ticketOfOtherBrowser:
            self.init(.failure, "wrong ticket", isGuess: true)
        case DeviceError.ticketExpired: self.init(.failure, "ticket expired")
        case GateError.addressRefused: self.init(.denied, "address kept out")
        case GateError.closed: self.init(.denied, "gate closed")
        case OperatorError.wrongCode: self.init(.failure, "wrong code", isGuess: true)
        case OperatorError.alreadySetUp: self.init(.denied, "set up already")
        case is KeyError: self.init(.failure, "wrong key", isGuess: true)
        // No guess, and a program that goes on asking is not to fill the log either.
        case let error as ScopeError: self.init(.denied, "no scope \(error.needed.rawValue)", isGuess: true)
        default: return nil
        }
    }

    private init(_ outcome: AuditOutcome, _ reason: String, isGuess: Bool = false) {
        self.outcome = outcome
        self.reason = reason
        self.isGuess = isGuess
    }
}
