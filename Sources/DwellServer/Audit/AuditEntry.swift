package import DwellAPI
package import Foundation

/// What is noted in the audit log. A word never changes its meaning.
package enum AuditEvent: String, Sendable, CaseIterable, SQLConvertible {
    case registration
    case login
    /// The end of a device's login, by whomever; `reason` in the detail says why.
    case deviceEnd = "device-end"
    case deviceName = "device-name"
    case passwordChange = "password-change"
    /// A code was asked for that opens another password.
    case passwordCode = "password-code"
    case passwordReset = "password-reset"
    /// A code was asked for that confirms an email.
    case emailCode = "email-code"
    case emailVerification = "email-verification"
    case gate
    /// A code was asked for that opens a gate.
    case gateCode = "gate-code"
    /// A key of the API was refused.
    case apiKey = "api-key"
    /// The key of the cron trigger was refused.
    case cronKey = "cron-key"
    case keyCreation = "key-creation"
    case keyRemoval = "key-removal"
    case secretRotation = "secret-rotation"
    case accountLimit = "account-limit"
    case accountDisabling = "account-disabling"
    case accountEnabling = "account-enabling"
    case accountDeletion = "account-deletion"
    case gateRevocation = "gate-revocation"
    case gateAdmission = "gate-admission"
    case erasure
    case exclusion
    case inclusion
    /// All that is known of a person was written to an archive.
    case archive
    case operatorSignIn = "operator-sign-in"
    case operatorSignOut = "operator-sign-out"
    case operatorAddition = "operator-addition"
    case operatorRemoval = "operator-removal"
    case operatorPassword = "operator-password"
    /// Refusals that were not noted one by one; `count` in the detail says how many.
    case leftOut = "left-out"
}

/// How something went.
package enum AuditOutcome: String, Sendable, SQLConvertible {
    case success
    /// What was shown or typed was wrong.
    case failure
    /// It was right, or was not looked at, and is not allowed.
    case denied
}

/// On whose behalf something was done.
package enum AuditActor: String, Sendable, SQLConvertible {
    case person, `operator`, system
}

/// A line of the audit log. It never holds a password, a code or a token.
package struct AuditEntry: Sendable {
    let id = UUID()
    let at: Timestamp
    let event: AuditEvent
    let outcome: AuditOutcome
    let actor: AuditActor
    let account: UUID?
    /// The number of a guest.
    let viewer: Int64?
    /// The username, the email or the key's name at the time.
    let subject: String?
    /// The network, such as `203.0.113.0/24`.
    let address: String?
    let device: UUID?
    /// More about it, by name.
    let detail: [String: String]

    package init(
        _ event: AuditEvent, _ outcome: AuditOutcome = .success, by actor: AuditActor = .person, at time: Timestamp,
        account: UUID? = nil, viewer: Int64? = nil, subject: String? = nil, address: ClientAddress? = nil,
        device: UUID? = nil, detail: [String: String] = [:]
    ) {
        at = time
        self.event = event
        self.outcome = outcome
        self.actor = actor
        self.account = account
        self.viewer = viewer
        self.subject = subject
        self.address = address?.place.description
        self.device = device
        self.detail = detail
    }
}
