import CCurl
import Foundation
import NIOPosix
import Synchronization

/// Hands mails to a server: libcurl knows SMTP, TLS and the ways to log in.
struct SMTPClient: Sendable {
    /// How long one mail may take, in seconds.
    private static let patience = 30

    let server: SMTPServer

    /// Returns when the server has taken the mail over.
    /// - Throws: ``MailRefusal``
    func send(_ message: String, from sender: String, to recipient: String) async throws {
        let transfer = Transfer(message)
        try await withTaskCancellationHandler {
            // libcurl waits on its thread, which must be none that serves requests.
            try await NIOThreadPool.singleton.runIfActive { try perform(transfer, from: sender, to: recipient) }
        } onCancel: {
            transfer.end()
        }
    }

    /// Says hello as if a mail were to follow, TLS and login included, and goodbye.
    /// - Throws: ``MailRefusal``
    func greet() async throws {
        try await NIOThreadPool.singleton.runIfActive {
            try connect { handle in
                _ = dwell_curl_set_text(handle, CURLOPT_CUSTOMREQUEST, "NOOP")
                _ = dwell_curl_set_number(handle, CURLOPT_NOBODY, 1)
            }
        }
    }

    private func perform(_ transfer: Transfer, from sender: String, to recipient: String) throws {
        let recipients = curl_slist_append(nil, "<\(recipient)>")
        defer { curl_slist_free_all(recipients) }
        do {
            try withExtendedLifetime(transfer) {
                try connect { handle in
                    _ = dwell_curl_set_text(handle, CURLOPT_MAIL_FROM, "<\(sender)>")
                    _ = dwell_curl_set_list(handle, CURLOPT_MAIL_RCPT, recipients)
                    _ = dwell_curl_set_source(
                        handle,
                        { buffer, size, count, transfer in
                            guard let buffer, let transfer = Transfer.at(transfer) else { return 0 }
                            return transfer.read(
                                into: UnsafeMutableRawBufferPointer(start: buffer, count: size * count))
                        },
                        { transfer, _, _, _, _ in Transfer.at(transfer)?.isEnded == true ? 1 : 0 },
                        Unmanaged.passUnretained(transfer).toOpaque())
                }
            }
        } catch {
            throw transfer.isEnded ? CancellationError() : error
        }
    }

    /// Speaks with the server.
    /// - Parameter prepare: Says what about
    private func connect(_ prepare: (UnsafeMutableRawPointer) -> Void) throws {
        let result: Void? = try Curl.withHandle { handle, complaint in
            _ = dwell_curl_set_text(handle, CURLOPT_URL, server.url)
            _ = dwell_curl_set_text(handle, CURLOPT_USERNAME, server.user)
            _ = dwell_curl_set_text(handle, CURLOPT_PASSWORD, server.password)
            let encryption = server.isLocal ? CURLUSESSL_NONE : CURLUSESSL_ALL
            _ = dwell_curl_set_number(handle, CURLOPT_USE_SSL, Int(encryption.rawValue))
            _ = dwell_curl_set_number(handle, CURLOPT_TIMEOUT, Self.patience)
            prepare(handle)
            let code = curl_easy_perform(handle)
            guard code != CURLE_OK else { return }
            let reply = dwell_curl_reply(handle)
            throw MailRefusal(
                // A password that the server does not take is no fault of the mail.
                isFinal: (500...599).contains(reply) && code != CURLE_LOGIN_DENIED,
                reason: "\(Curl.reason(code, complaint)), last reply \(reply)")
        }
        guard result != nil else { throw MailRefusal(isFinal: false, reason: "libcurl can't be started") }
    }
}

/// A mail on its way, as libcurl's callbacks see it.
private final class Transfer: Sendable {
    private let bytes: [UInt8]
    private let position = Mutex(0)
    private let ended = Atomic(false)

    init(_ message: String) {
        bytes = Array(message.utf8)
    }

    static func at(_ pointer: UnsafeMutableRawPointer?) -> Transfer? {
        pointer.map { Unmanaged<Transfer>.fromOpaque($0).takeUnretainedValue() }
    }

    var isEnded: Bool { ended.load(ordering: .relaxed) }

    /// Makes libcurl give up within a second.
    func end() { ended.store(true, ordering: .relaxed) }

    /// - Returns: How many bytes there were
    func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        position.withLock { position in
            let next = bytes[position...].prefix(buffer.count)
            buffer.copyBytes(from: next)
            position += next.count
            return next.count
        }
    }
}
