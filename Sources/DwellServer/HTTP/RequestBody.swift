import Foundation
import Hummingbird
import NIOCore
import NIOFoundationEssentialsCompat

/// Why a body can't be read.
enum BodyError: Error, Equatable {
    /// It is not JSON, and why.
    case malformed(String)
    /// It is over this many bytes.
    case tooLarge(Int)
    /// It is of another type than these.
    case unsupported(String)
}

extension Request {
    /// The most bytes that a body may have.
    static let bodyLimit = 65_536

    /// The whole body.
    /// - Throws: ``BodyError/tooLarge(_:)``
    func bodyBytes() async throws -> ByteBuffer {
        if let length = headers[.contentLength].flatMap({ Int($0) }), length > Self.bodyLimit {
            throw BodyError.tooLarge(Self.bodyLimit)
        }
        do {
            return try await body.collect(upTo: Self.bodyLimit)
        } catch is NIOTooManyBytesError {
            throw BodyError.tooLarge(Self.bodyLimit)
        }
    }

    /// A JSON body.
    /// - Throws: ``BodyError``, or ``InvalidField`` that names what is missing or of the wrong type
    func json<Value: Decodable>(_ type: Value.Type) async throws -> Value {
        guard mediaType == "application/json" else { throw BodyError.unsupported("application/json") }
        return try JSONBody.decode(type, from: try await bodyBytes())
    }

    /// The body of a form.
    /// - Throws: ``BodyError``, or ``InvalidField`` that names what is missing or of the wrong type
    func form<Value: Decodable>(_ type: Value.Type) async throws -> Value {
        guard mediaType == "application/x-www-form-urlencoded" else {
            throw BodyError.unsupported("application/x-www-form-urlencoded")
        }
        let text = String(buffer: try await bodyBytes())
        do {
            return try URLEncodedFormDecoder().decode(type, from: text)
        } catch let error as DecodingError {
            throw JSONBody.field(error)
        } catch {
            throw InvalidField("the form", expected: "one in which each field has one value")
        }
    }

    /// The body's type without its parameters; `nil` when the request does not say.
    var mediaType: String? {
        headers[.contentType]?.split(separator: ";").first.map { $0.trimmingCharacters(in: .whitespaces).lowercased() }
    }
}

/// Encodes JSON, decodes it, and says in a sentence what is wrong with it.
enum JSONBody {
    static func encode(_ value: some Encodable) throws -> ByteBuffer {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        return ByteBuffer(data: try encoder.encode(value))
    }

    static func decode<Value: Decodable>(_ type: Value.Type, from bytes: ByteBuffer) throws -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(buffer: bytes))
        } catch let error as DecodingError {
            throw refusal(error)
        }
    }

    private static func refusal(_ error: DecodingError) -> any Error {
        switch error {
        case .typeMismatch(_, let context) where context.codingPath.isEmpty:
            BodyError.malformed("an object was expected")
        case .dataCorrupted(let context) where context.codingPath.isEmpty:
            BodyError.malformed("it can't be parsed")
        default: field(error)
        }
    }

    /// The field that an error is about, and what it must be.
    static func field(_ error: DecodingError) -> InvalidField {
        switch error {
        case .typeMismatch(let type, let context):
            InvalidField(path(context.codingPath), expected: name(of: type))
        case .keyNotFound(let key, let context):
            InvalidField(path(context.codingPath + [key]), expected: "present")
        case .valueNotFound(let type, let context):
            InvalidField(path(context.codingPath), expected: "\(name(of: type)), not null")
        case .dataCorrupted(let context):
            // Thrown by our own types, whose descriptions say what they expect.
            InvalidField(path(context.codingPath), expected: context.debugDescription)
        @unknown default: InvalidField("body", expected: "of the documented form")
        }
    }

    /// Such as `segments[3].from`.
    private static func path(_ keys: [any CodingKey]) -> String {
        keys.reduce("") { path, key in
            if let index = key.intValue { return "\(path)[\(index)]" }
            return path.isEmpty ? key.stringValue : "\(path).\(key.stringValue)"
        }
    }

    private static func name(of type: Any.Type) -> String {
        switch type {
        case is String.Type: "a string"
        case is Int.Type, is Int64.Type: "a whole number"
        case is Double.Type: "a number"
        case is Bool.Type: "true or false"
        case is any Collection.Type where !(type is [String: Any].Type): "an array"
        default: "an object"
        }
    }
}
