import Testing

@testable import DwellAPI
@testable import DwellServer

@Suite struct WebhookRulesTests {
    private let now = Timestamp(milliseconds: 1_772_452_800_000)

    /// The example that the libraries of the specification are tested with.
    @Test func `a signature is the one that the specification's libraries expect`() throws {
        let secret = try #require(WebhookSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
        let signature = secret.signature(
            event: "msg_p5jXN8AQM9LWM0D4loKWxJek", seconds: 1_614_265_330, body: #"{"test": 2432232314}"#)
        #expect(signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
    }

    @Test func `a secret is 256 bits that nobody had before`() throws {
        let (one, other) = (WebhookSecret(), WebhookSecret())
        #expect(one.text != other.text && one.text.count == "whsec_".count + 44)
        #expect(WebhookSecret(one.text) == one)
        #expect(WebhookSecret("secret") == nil && WebhookSecret("whsec_?") == nil)
    }

    @Test(arguments: [
        "https://example.com/hook?key=1", "https://example.com:8443", "http://localhost:9000/x", "http://127.0.0.2:1/",
        "http://[::1]:9000/",
    ])
    func `events may go there`(_ url: String) throws {
        #expect(try WebhookRules.check(url: " \(url)\n") == url)
    }

    @Test(arguments: [
        "", "example.com", "ftp://example.com/", "file:///etc/passwd", "http://example.com/",
        "http://127.0.0.1.example/",
        "http://localhost.example/", "https://user:secret@example.com/", "https:///hook", "https://example.com/#part",
        "https://\(String(repeating: "a", count: 2000)).example/",
    ])
    func `events may not go there`(_ url: String) {
        #expect { try WebhookRules.check(url: url) } throws: { ($0 as? InvalidField)?.field == "url" }
    }

    @Test func `what is asked for must be offered`() throws {
        #expect(try WebhookRules.check(events: ["gate.entered", "session.ended"]) == [.gateEntered, .sessionEnded])
        for names in [[], ["ping"], ["session.ended", "*"]] as [[String]] {
            #expect { try WebhookRules.check(events: names) } throws: { ($0 as? InvalidField)?.field == "events" }
        }
    }

    @Test func `ten tries in three days, and then no more`() {
        let refused = WebhookAnswer(status: 500)
        let pauses = (1...9).map { attempts -> Int64 in
            guard case .postponed(let next) = outcome(refused, attempts) else { return 0 }
            return (next - now) / 1000
        }
        #expect(pauses == [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400])
        #expect(outcome(refused, 10) == .failed)
        #expect(outcome(refused, 1, jitter: 1) == .postponed(until: now + 5500))
    }

    @Test func `what the endpoint answers decides`() {
        for status in [200, 204, 299] { #expect(outcome(WebhookAnswer(status: status), 1) == .delivered) }
        #expect(outcome(WebhookAnswer(status: 410), 1) == .gone)
        for status in [301, 400, 404, 429, 503] {
            #expect(outcome(WebhookAnswer(status: status), 1) == .postponed(until: now + 5000))
        }
        #expect(outcome(WebhookAnswer(complaint: "timed out"), 1) == .postponed(until: now + 5000))
        #expect(WebhookAnswer(status: 302).refusal == "answered 302: redirects are not followed")
    }

    @Test func `no pause that an endpoint asks for is too long to be read`() {
        #expect(WebhookClient.pause(.max) == 86_400_000)
        #expect(WebhookClient.pause(.min) == 0)
        #expect(WebhookClient.pause(90) == 90_000)
    }

    @Test func `an endpoint that asks to be left alone is, for a day at most`() {
        let busy = WebhookAnswer(status: 429, retryAfter: 120_000)
        #expect(outcome(busy, 1) == .postponed(until: now + 120_000))
        #expect(outcome(busy, 3) == .postponed(until: now + 1_800_000))
        #expect(
            outcome(WebhookAnswer(status: 503, retryAfter: 900_000_000), 1) == .postponed(until: now + 86_400_000))
    }

    private func outcome(_ answer: WebhookAnswer, _ attempts: Int, jitter: Double = 0) -> WebhookOutcome {
        WebhookRules.outcome(of: answer, attempts: attempts, at: now, jitter: jitter)
    }
}
