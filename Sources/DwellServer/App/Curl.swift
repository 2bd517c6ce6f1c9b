import CCurl
import Foundation

/// What all uses of libcurl share.
enum Curl {
    /// Whether libcurl can be used; it is started once.
    static let isReady = dwell_curl_start() == CURLE_OK
    /// Certificates to trust instead of the system's, by the variable that OpenSSL's programs know.
    static let certificates = ProcessInfo.processInfo.environment["SSL_CERT_FILE"]

    /// Runs `body` with a handle, and with where libcurl says what went wrong.
    /// - Returns: `nil` when libcurl can't be started
    static func withHandle<Value>(
        _ body: (UnsafeMutableRawPointer, _ complaint: UnsafeMutablePointer<CChar>) throws -> Value
    ) rethrows -> Value? {
        guard isReady, let handle = curl_easy_init() else { return nil }
        let complaint = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
        complaint.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        defer {
            curl_easy_cleanup(handle)
            complaint.deallocate()
        }
        _ = dwell_curl_set_complaint(handle, complaint)
        if let certificates { _ = dwell_curl_set_text(handle, CURLOPT_CAINFO, certificates) }
        // Signals are the process's own; libcurl needs none.
        _ = dwell_curl_set_number(handle, CURLOPT_NOSIGNAL, 1)
        return try body(handle, complaint)
    }

    /// What libcurl says of a code.
    static func reason(_ code: CURLcode, _ complaint: UnsafeMutablePointer<CChar>) -> String {
        let said = String(cString: complaint)
        return said.isEmpty ? String(cString: curl_easy_strerror(code)) : said
    }
}
