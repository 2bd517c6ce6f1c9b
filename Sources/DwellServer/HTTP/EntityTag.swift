import Crypto
import Foundation
import Hummingbird
import NIOCore

/// Names what an answer says, byte by byte: a strong one, because the same figures are always written the same way.
struct EntityTag {
    let text: String

    init(of bytes: ByteBuffer) {
        text = "\"\(SHA256.hash(data: Data(bytes.readableBytesView)).prefix(16).hexadecimal)\""
    }

    /// Whether `If-None-Match` names it. A proxy that compresses makes a strong one weak: that counts as the same.
    func isNamed(by request: Request) -> Bool {
        request.headers[values: .ifNoneMatch].flatMap { $0.split(separator: ",") }.contains { part in
            let name = part.trimmingCharacters(in: .whitespaces)
            return name == "*" || name == text || name == "W/\(text)"
        }
    }
}

extension Response {
    /// A JSON answer that no cache keeps; a program that has it may ask about it: 304 says that it is as it was. The figures are
    /// read all the same; what is saved is the way to the client.
    static func json(_ value: some Encodable, unlessKnownBy request: Request) throws -> Response {
        json(try JSONBody.encode(value), keptAs: "no-store", unlessKnownBy: request)
    }

    /// - Parameter keeping: What caches may do with it
    static func json(_ body: ByteBuffer, keptAs keeping: String, unlessKnownBy request: Request) -> Response {
        let tag = EntityTag(of: body)
        let fields: HTTPFields = [.eTag: tag.text, .cacheControl: keeping]
        guard !tag.isNamed(by: request) else { return Response(status: .notModified, headers: fields) }
        return Response.json(body).with(fields)
    }
}
