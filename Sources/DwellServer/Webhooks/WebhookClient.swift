import CCurl
import Foundation
package import NIOPosix
import Synchronization

/// Sends requests: libcurl knows HTTP and TLS, and is there already for mail.
package struct WebhookClient: Sendable {
    /// How long a request may take in all, and how long until there is a connection, in seconds.
    private static let patience = 15
    private static let patienceToConnect = 5

    private static let nearComplaint = "leads to this machine or its link; one here is named localhost or 127.0.0.1"

    private let pool: NIOThreadPool

    /// - Parameter pool: libcurl waits on its threads, which must be none that serve requests
    package init(pool: NIOThreadPool) {
        self.pool = pool
    }

    /// Sends a request. No redirect is followed, and of the answer only the status and `Retry-After` are looked at.
    /// - Throws: `CancellationError`
    package func post(_ request: WebhookRequest) async throws -> WebhookAnswer {
        let exchange = Exchange()
        let answer = try await withTaskCancellationHandler {
            try await pool.runIfActive { Self.perform(request, exchange) }
        } onCancel: {
            exchange.end()
        }
        try Task.checkCancellation()
        return answer
    }

    /// What `Retry-After` asks for, in milliseconds: whatever a stranger writes there, no more than is heeded.
    /// - Parameter seconds: As libcurl read them
    static func pause(_ seconds: Int) -> Int64 { min(max(0, Int64(seconds)), 86_400) * 1000 }

    private static func perform(_ request: WebhookRequest, _ exchange: Exchange) -> WebhookAnswer {
        var headers: UnsafeMutablePointer<curl_slist>?
        for (name, value) in request.headers { headers = curl_slist_append(headers, "\(name): \(value)") }
        defer { curl_slist_free_all(headers) }
        // A program can't name this machine on a public server, so nothing but its plain names may lead here.
        let mayBeHere = WebhookRules.isHere(URLComponents(string: request.url)?.host ?? "")
        var isNear = false
        let answer = withExtendedLifetime(exchange) {
            Curl.withHandle { handle, complaint in
                _ = dwell_curl_set_text(handle, CURLOPT_URL, request.url)
                _ = dwell_curl_allow_web(handle)
                _ = dwell_curl_set_number(handle, CURLOPT_FOLLOWLOCATION, 0)
                _ = dwell_curl_set_number(handle, CURLOPT_TIMEOUT, patience)
                _ = dwell_curl_set_number(handle, CURLOPT_CONNECTTIMEOUT, patienceToConnect)
                _ = dwell_curl_set_list(handle, CURLOPT_HTTPHEADER, headers)
                _ = dwell_curl_set_number(handle, CURLOPT_POSTFIELDSIZE, request.body.utf8.count)
                _ = dwell_curl_set_text(handle, CURLOPT_COPYPOSTFIELDS, request.body)
                _ = dwell_curl_set_sink(
                    handle,
                    { _, size, count, exchange in Exchange.at(exchange)?.take(size * count) ?? 0 },
                    { exchange, _, _, _, _ in Exchange.at(exchange)?.isEnded == true ? 1 : 0 },
                    Unmanaged.passUnretained(exchange).toOpaque())
                let code = withUnsafeMutablePointer(to: &isNear) { isNear in
                    if !mayBeHere { _ = dwell_curl_stay_away(handle, isNear) }
                    return curl_easy_perform(handle)
                }
                let status = dwell_curl_reply(handle)
                // What answers at length has answered.
                guard status > 0, code == CURLE_OK || code == CURLE_WRITE_ERROR else {
                    return WebhookAnswer(complaint: isNear ? Self.nearComplaint : Curl.reason(code, complaint))
                }
                return WebhookAnswer(status: status, retryAfter: pause(dwell_curl_retry_after(handle)))
            }
        }
        return answer ?? WebhookAnswer(complaint: "libcurl can't be started")
    }
}

/// A request on its way, as libcurl's callbacks see it.
private final class Exchange: Sendable {
    /// How much of an answer is let come, in bytes, before the connection is closed.
    private static let limit = 65_536

    private let received = Atomic(0)
    private let ended = Atomic(false)

    static func at(_ pointer: UnsafeMutableRawPointer?) -> Exchange? {
        pointer.map { Unmanaged<Exchange>.fromOpaque($0).takeUnretainedValue() }
    }

    var isEnded: Bool { ended.load(ordering: .relaxed) }

    /// Makes libcurl give up within a second.
    func end() { ended.store(true, ordering: .relaxed) }

    /// - Returns: How many bytes were taken; fewer than came end the transfer
    func take(_ count: Int) -> Int {
        received.add(count, ordering: .relaxed).newValue > Self.limit ? 0 : count
    }
}
