import Crypto
package import DwellAPI
package import Foundation

/// Where events go.
package struct Webhook: Sendable, Equatable {
    package let id: UUID
    package let url: String
    package let events: Set<WebhookEventType>
    package let secret: WebhookSecret
    package let createdAt: Timestamp
    /// Since when nothing is sent.
    package var disabledAt: Timestamp?

    /// The host alone: a path may hold what is nobody's business.
    var host: String { URLComponents(string: url)?.host ?? "" }
}

/// What deliveries to an endpoint are signed with, as the Standard Webhooks specification says: `whsec_` and base64.
package struct WebhookSecret: Sendable, Equatable {
    private static let prefix = "whsec_"

    package let text: String
    private let key: Data

    /// Makes one that nobody knows.
    package init() {
        key = SymmetricKey(size: .bits256).withUnsafeBytes { Data($0) }
        text = Self.prefix + key.base64EncodedString()
    }

    /// One that was made before; `nil` comes back for what can't be one.
    package init?(_ text: String) {
        guard text.hasPrefix(Self.prefix), let key = Data(base64Encoded: String(text.dropFirst(Self.prefix.count)))
        else { return nil }
        self.text = text
        self.key = key
    }

    /// What the header `webhook-signature` says.
    /// - Parameters:
    ///   - event: The event's id
    ///   - seconds: When it is sent, in seconds since 1970
    package func signature(event: String, seconds: Int64, body: String) -> String {
        let code = HMAC<SHA256>.authenticationCode(
            for: Data("\(event).\(seconds).\(body)".utf8), using: SymmetricKey(data: key))
        return "v1,\(Data(code).base64EncodedString())"
    }
}

/// What is sent.
package struct WebhookRequest: Sendable, Equatable {
    package let url: String
    package let headers: [String: String]
    package let body: String

    /// An event on its way to an endpoint, signed at a time.
    init(_ body: String, event: UUID, to webhook: Webhook, at time: Timestamp) {
        let seconds = time.milliseconds / 1000
        url = webhook.url
        headers = [
            "content-type": "application/json",
            "user-agent": "Dwell/\(Version.number)",
            "webhook-id": event.lowercase,
            "webhook-timestamp": "\(seconds)",
            "webhook-signature": webhook.secret.signature(event: event.lowercase, seconds: seconds, body: body),
        ]
        self.body = body
    }
}

/// What came of sending.
package struct WebhookAnswer: Sendable, Equatable {
    /// What the endpoint answered, such as 200; `nil` when it did not.
    package var status: Int?
    /// How long it asks to be left alone, in milliseconds.
    package var retryAfter: Int64 = 0
    /// Why there is no answer.
    package var complaint: String?

    package init(status: Int? = nil, retryAfter: Int64 = 0, complaint: String? = nil) {
        self.status = status
        self.retryAfter = retryAfter
        self.complaint = complaint
    }

    /// Why it is not what was hoped for; `nil` when it is.
    package var refusal: String? {
        switch status {
        case nil: complaint ?? "no answer"
        case (200...299)?: nil
        case .some(let status) where (300...399).contains(status): "answered \(status): redirects are not followed"
        case .some(let status): "answered \(status)"
        }
    }
}

/// What becomes of a delivery that was tried.
package enum WebhookOutcome: Sendable, Equatable {
    case delivered
    /// It is tried again at this time.
    case postponed(until: Timestamp)
    /// It was the last try.
    case failed
    /// The endpoint wants nothing any more.
    case gone
}

/// What can be an endpoint, and when it is tried again.
package enum WebhookRules {
    /// How many endpoints there may be: each has a thread of its own, so that none waits for another.
    package static let limit = 16
    /// How long the log keeps what is not on its way any more, in milliseconds: 30 days.
    package static let kept: Int64 = 30 * 86_400_000

    /// The pauses between tries, in milliseconds, as the Standard Webhooks specification suggests: 5 s, 5 and 30 min, 2, 5,
    /// 10, 14, 20 and 24 h.
    private static let pauses: [Int64] = [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400].map { $0 * 1000 }
    /// The longest time that an endpoint can ask to be left alone, in milliseconds.
    private static let longestPause: Int64 = 86_400_000

    /// - Parameters:
    ///   - attempts: How often it was tried, this time included
    ///   - jitter: From 0 to 1: endpoints that failed together are not tried together
    package static func outcome(
        of answer: WebhookAnswer, attempts: Int, at time: Timestamp, jitter: Double
    ) -> WebhookOutcome {
        if answer.refusal == nil { return .delivered }
        if answer.status == 410 { return .gone }
        guard attempts <= pauses.count else { return .failed }
        let pause = pauses[max(attempts, 1) - 1]
        let scattered = pause + Int64(Double(pause) * 0.1 * jitter)
        return .postponed(until: time + max(scattered, min(answer.retryAfter, longestPause)))
    }

    /// A URL that events may go to.
    /// - Throws: ``InvalidField`` named `url`
    package static func check(url text: String) throws(InvalidField) -> String {
        let text = text.trimmingCharacters(in: .whitespacesAndNewlines)
        guard text.utf8.count <= 2000, let parts = URLComponents(string: text), let host = parts.host, !host.isEmpty,
            let scheme = parts.scheme?.lowercased(), ["https", "http"].contains(scheme), parts.user == nil,
            parts.password == nil, parts.fragment == nil
        else {
            throw InvalidField("url", expected: "such as https://example.com/hook, without a password in it")
        }
        guard scheme == "https" || isHere(host) else {
            throw InvalidField("url", expected: "https://…; http:// only on this machine: what is sent tells of people")
        }
        return text
    }

    /// Whether a host is this machine.
    static func isHere(_ host: String) -> Bool {
        ["localhost", "[::1]", "::1"].contains(host.lowercased())
            || host.wholeMatch(of: /127\.\d{1,3}\.\d{1,3}\.\d{1,3}/) != nil
    }

    /// What an endpoint asks for.
    /// - Throws: ``InvalidField`` named `events`
    package static func check(events names: [String]) throws(InvalidField) -> Set<WebhookEventType> {
        let events = names.map { name in WebhookEventType.offered.first { $0.rawValue == name } }
        guard !events.isEmpty, events.allSatisfy({ $0 != nil }) else {
            let offered = WebhookEventType.offered.map(\.rawValue).joined(separator: ", ")
            throw InvalidField("events", expected: "at least one of \(offered)")
        }
        return Set(events.compactMap(\.self))
    }
}
