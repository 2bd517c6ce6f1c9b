import Foundation
import Hummingbird
import NIOCore
import NIOFoundationEssentialsCompat

extension Response {
    /// A JSON answer that no cache keeps: everything Dwell answers is about one person.
    static func json(
        _ value: some Encodable, status: HTTPResponse.Status = .ok, type: String = "application/json"
    ) throws -> Response {
        json(try JSONBody.encode(value), status: status, type: type)
    }

    /// An answer of JSON that was written already.
    static func json(
        _ body: ByteBuffer, status: HTTPResponse.Status = .ok, type: String = "application/json"
    ) -> Response {
        Response(status: status, headers: .json(type), body: ResponseBody(byteBuffer: body))
    }

    /// A page. Scripts and pictures come from this site only, and no other site may frame it.
    static func html(_ html: String, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status,
            headers: [
                .contentType: "text/html; charset=utf-8", .cacheControl: "no-store",
                .contentSecurityPolicy:
                    "default-src 'self'; frame-ancestors 'none'; form-action 'self'; base-uri 'none'",
            ],
            body: ResponseBody(byteBuffer: ByteBuffer(string: html)))
    }
}

extension Response {
    /// The same answer with more headers.
    func with(_ fields: HTTPFields) -> Response {
        var response = self
        for field in fields { response.headers[field.name] = field.value }
        return response
    }
}

extension HTTPFields {
    /// The headers of an answer that is no page and nobody else's: as a page it may do nothing, and be in no frame.
    static let noPage: HTTPFields = [
        .cacheControl: "no-store", .contentSecurityPolicy: "default-src 'none'; frame-ancestors 'none'",
    ]

    /// The headers of a JSON answer.
    static func json(_ type: String = "application/json") -> HTTPFields {
        var fields = noPage
        fields[.contentType] = "\(type); charset=utf-8"
        return fields
    }
}
