import DwellAPI
import Foundation
import HTTPTypes
import NIOCore
import Synchronization

/// Answers to heartbeats as they stand on the wire: with the headers that every other answer has.
final class HeartbeatBytes: Sendable {
    private let cookies: CookieMaker
    /// Headers that every answer carries.
    private let fields: HTTPFields
    private let success: Mutex<(second: time_t, head: ByteBuffer)>

    /// - Parameters:
    ///   - cookies: For browsers whose login has a new entry
    ///   - fields: Headers that every answer carries
    init(cookies: CookieMaker, fields: HTTPFields) {
        self.cookies = cookies
        self.fields = fields
        success = Mutex((second: 0, head: ByteBuffer()))
    }

    /// The answer to a heartbeat that was stored.
    func bytes(of answer: HeartbeatAnswer) -> ByteBuffer {
        let cookies = answer.entryToName.map(cookies.watch) ?? []
        var bytes = successHead()
        for cookie in cookies { bytes.writeString("Set-Cookie: \(cookie)\r\n") }
        return Self.finished(bytes, body: answer.body)
    }

    /// The answer to one that was refused.
    func bytes(of error: PublicError) -> ByteBuffer {
        var all = HTTPFields.json()
        for field in error.headers { all[field.name] = field.value }
        // Texts and numbers can always be encoded.
        return Self.finished(head(error.status, all), body: (try? JSONBody.encode(error.gateBody)) ?? ByteBuffer())
    }

    /// The same for a second: only the body tells one from another.
    private func successHead() -> ByteBuffer {
        let second = time(nil)
        return success.withLock { success in
            if success.second != second { success = (second, head(.ok, .json())) }
            return success.head
        }
    }

    private func head(_ status: HTTPResponse.Status, _ own: HTTPFields) -> ByteBuffer {
        var bytes = ByteBuffer(string: "HTTP/1.1 \(status.code) \(status.reasonPhrase)\r\n")
        for field in own + fields { bytes.writeString("\(field.name.rawName): \(field.value)\r\n") }
        bytes.writeString("Date: \(Self.date())\r\n")
        return bytes
    }

    private static func finished(_ head: ByteBuffer, body: ByteBuffer) -> ByteBuffer {
        var bytes = head
        bytes.writeString("Content-Length: \(body.readableBytes)\r\n\r\n")
        bytes.writeImmutableBuffer(body)
        return bytes
    }

    /// The time as headers tell it, such as `Sat, 21 Nov 2026 14:09:27 GMT`.
    private static func date() -> String {
        var now = time(nil)
        var parts = tm()
        gmtime_r(&now, &parts)
        return String(unsafeUninitializedCapacity: 64) { text in
            text.withMemoryRebound(to: CChar.self) {
                strftime($0.baseAddress!, 64, "%a, %d %b %Y %H:%M:%S GMT", &parts)
            }
        }
    }
}
