import Crypto
import DwellAPI
import Foundation

/// A code that was mailed to prove that somebody reads an address. It works once, for ten minutes, for a few tries, and in
/// the browser that asked for it only.
package struct MailedCode: Sendable {
    /// What a code opens.
    package enum Purpose: String, Sendable, SQLConvertible {
        case reset, verification, gate

        /// What the audit log calls it that one is asked for.
        var event: AuditEvent {
            switch self {
            case .reset: .passwordCode
            case .verification: .emailCode
            case .gate: .gateCode
            }
        }

        /// How long the code is. A guess at another's reset would bring a whole account, so it must be worth less.
        var digits: Int { self == .reset ? 8 : 6 }
    }

    /// What a code for a gate lets in to.
    struct Entrance: Sendable, Equatable {
        /// The gate's name.
        let gate: String
        /// Where the visitor wants to go: a path.
        let target: String
        /// Where the gate's page was, if not at the server's public URL.
        var site: String?
    }

    /// How long a code works, in milliseconds.
    package static let lifetime: Int64 = 600_000
    /// How many codes can be tried.
    static let tries = 5
    /// How many codes of a kind one address gets in an hour: nobody's mailbox is to be flooded by others.
    static let hourlyLimit = 5

    let purpose: Purpose
    /// What is mailed.
    let code: String
    /// What the browser that asked keeps.
    let browser: String
    let entrance: Entrance?

    /// A code that nobody can foresee.
    /// - Parameter entrance: What it lets in to, for a gate
    init(for purpose: Purpose, entrance: Entrance? = nil) {
        self.purpose = purpose
        self.entrance = entrance
        let bound = (0..<purpose.digits).reduce(1) { product, _ in product * 10 }
        let digits = String(Int.random(in: 0..<bound))
        code = String(repeating: "0", count: purpose.digits - digits.count) + digits
        browser = SymmetricKey(size: .bits256).withUnsafeBytes { Data($0) }.hexadecimal
    }

    /// What is stored in place of the browser's secret.
    static func hash(ofBrowser browser: String) -> String {
        SHA256.hash(data: Data(browser.utf8)).hexadecimal
    }

    /// What is stored in place of the code. Few digits could be found from their hash alone, so the browser's secret, which
    /// is not stored either, is part of it.
    static func hash(of code: String, browser: String) -> String {
        let code = code.trimmingCharacters(in: .whitespacesAndNewlines)
        return SHA256.hash(data: Data("\(browser) \(code)".utf8)).hexadecimal
    }
}
