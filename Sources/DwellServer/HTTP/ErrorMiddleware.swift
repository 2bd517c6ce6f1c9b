import DwellAPI
import Foundation
import Hummingbird
import Logging

/// Turns every error into an answer of the form that its route's clients know, and logs the cause of what is the
/// server's fault.
struct ErrorMiddleware: RouterMiddleware {
    typealias Context = DwellRequestContext

    /// The routes there are, to tell "no such path" from "no such method".
    let routes: RouteTable
    let pages: Pages

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch {
            var answer = PublicError(error)
            if answer.status == .notFound, error is any HTTPResponseError,
                let allowed = routes.methods(at: request.uri.path), !allowed.contains(request.method)
            {
                answer = .methodNotAllowed(allowed)
            }
            answer.log(error, of: request.method, path: request.uri.path, to: context.logger)
            return try response(answer, to: request)
        }
    }

    private func response(_ error: PublicError, to request: Request) throws -> Response {
        var response =
            switch ErrorStyle(path: request.uri.path) {
            case .gate: try Response.json(error.gateBody)
            case .message:
                try Response.json(
                    MessageErrorBody(
                        msg: error.message, code: error.code, field: error.field, devices: error.devices,
                        ticket: error.ticket))
            case .problem:
                try Response.json(
                    ProblemBody(
                        title: error.status.reasonPhrase, status: error.status.code, detail: error.message,
                        code: error.code, field: error.field), type: "application/problem+json")
            case .page: pages.error(status: error.status, message: error.message)
            }
        response.status = error.status
        for field in error.headers { response.headers[field.name] = field.value }
        response.headers[.cacheControl] = "no-store"
        return response
    }
}

/// The form of an error's body; the path decides.
private enum ErrorStyle {
    case gate, message, problem, page

    init(path: String) {
        let first = path.split(separator: "/", maxSplits: 2).prefix(2)
        switch first.first {
        case "api" where first.dropFirst().first == "v1": self = .problem
        case "api": self = .gate
        case "auth", "devices", "session", "cronjob": self = .message
        default: self = .page
        }
    }
}

extension PublicError {
    /// The error as clients of the gate and of heartbeats know it.
    var gateBody: GateErrorBody {
        GateErrorBody(error: message, code: code, field: field, stored: stored, refused: refused, viewing: viewing)
    }

    /// Logs the cause of what is the server's fault.
    func log(_ cause: any Error, of method: HTTPRequest.Method, path: String, to logger: Logger) {
        guard status.kind == .serverError else { return }
        logger.error("request failed", metadata: ["method": "\(method)", "path": "\(path)", "cause": "\(cause)"])
    }

    fileprivate static func methodNotAllowed(_ allowed: [HTTPRequest.Method]) -> PublicError {
        let list = allowed.map(\.rawValue).sorted().joined(separator: ", ")
        return PublicError(
            status: .methodNotAllowed, code: .methodNotAllowed, message: "The method must be \(list)",
            headers: [.allow: list])
    }
}

/// Which methods a path has.
struct RouteTable: Sendable {
    private let routes: [(path: [Substring], method: HTTPRequest.Method)]

    init(_ routes: [Router<DwellRequestContext>.RouteDescription]) {
        self.routes = routes.map { ($0.path.description.split(separator: "/"), $0.method) }
    }

    /// The methods of a path; `nil` when there is no such path.
    func methods(at path: String) -> [HTTPRequest.Method]? {
        let parts = path.split(separator: "/")
        let methods = routes.filter { route in
            route.path.count == parts.count
                && zip(route.path, parts).allSatisfy { $0 == $1 || $0.hasPrefix("{") || $0.hasPrefix(":") }
        }.map(\.method)
        return methods.isEmpty ? nil : methods
    }
}
