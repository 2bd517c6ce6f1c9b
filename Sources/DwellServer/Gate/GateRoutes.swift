import DwellAPI
import Foundation
import Hummingbird

/// The gate's page and the form behind it.
struct GateRoutes {
    /// Where a visitor goes who did not say.
    static let defaultTarget = "/confidential/"

    let gate: Gate
    let tokens: EntryTokens
    let pages: Pages
    let cookies: CookieMaker
    let attempts: Attempts

    /// What may be asked for from anywhere, such as by a link in a mail.
    var page: RouteCollection<DwellRequestContext> {
        RouteCollection(context: DwellRequestContext.self)
            .get("/gate", use: show)
    }

    var endpoints: RouteCollection<DwellRequestContext> {
        RouteCollection(context: DwellRequestContext.self)
            .post("/api/verify-temp-access", use: verify)
    }

    /// The page; a target that is not on this site is forgotten.
    private func show(_ request: Request, context: DwellRequestContext) -> Response {
        pages.gate(next: Self.target(request.uri.queryParameters["next"].map(String.init)))
    }

    private func verify(_ request: Request, context: DwellRequestContext) async throws -> Response {
        try await attempts.run(
            Attempt(.gate, address: context.address), [.address(.gate, context.address?.connection)], alwaysCounts: true
        ) { try await verified(request, context) }
    }

    private func verified(_ request: Request, _ context: DwellRequestContext) async throws -> Response {
        switch request.mediaType {
        case "application/json":
            let body = try await request.json(EntryBody.self)
            return try await enter(body, context) { target, entry in
                try .json(
                    GateReply(
                        redirect: target, token: tokens.token(viewer: entry.viewer, entry: entry.id)))
            }
        case "application/x-www-form-urlencoded":
            let text = String(buffer: try await request.bodyBytes())
            guard let body = try? URLEncodedFormDecoder().decode(EntryBody.self, from: text) else {
                return pages.gate(next: Self.defaultTarget, message: "The form can't be read")
            }
            do {
                return try await enter(body, context) { target, _ in .redirect(to: target, type: .normal) }
            } catch let error as InvalidField {
                return pages.gate(
                    next: Self.target(body.next), email: body.email, message: error.description)
            }
        default:
            throw BodyError.unsupported("application/x-www-form-urlencoded or application/json")
        }
    }

    private func enter(
        _ body: EntryBody, _ context: DwellRequestContext, _ answer: (String, Entry) throws -> Response
    ) async throws -> Response {
        let target = try body.next.flatMap { $0.isEmpty ? nil : try LocalPath.check($0) } ?? Self.defaultTarget
        guard let email = body.email else { throw InvalidField("email", expected: "present") }
        let entry = try await gate.enter(email: email, from: context.address)
        var response = try answer(target, entry)
        response.headers[.cacheControl] = "no-store"
        response.setCookie(cookies.sessionRecord(gate.sessionCookie(for: entry)))
        response.setCookie(cookies.make(.access, gate.accessCookie(for: entry), maxAge: Gate.lifetime))
        return response
    }

    /// A target that can be offered: the given one, if it is on this site.
    private static func target(_ next: String?) -> String {
        next.flatMap { try? LocalPath.check($0) } ?? defaultTarget
    }

    private struct EntryBody: Decodable {
        var email: String?
        var next: String?
    }
}

extension CookieMaker {
    /// The cookie that names a gate session. The page's script may read it, as in the blueprint.
    func sessionRecord(_ value: String) -> Cookie {
        make(.sessionRecord, value, maxAge: Gate.lifetime, isReadable: true, sameSite: .strict)
    }
}
