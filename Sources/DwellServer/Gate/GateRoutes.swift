import DwellAPI
import Foundation
import Hummingbird

/// The gates' pages, the forms behind them, and what proxies ask before they show a page of another site.
struct GateRoutes {
    let gates: Gates
    let tokens: EntryTokens
    let pages: Pages
    let cookies: CookieMaker
    let attempts: Attempts

    /// What may be asked for from anywhere, such as by a link in a mail. It changes nothing.
    var shown: RouteCollection<DwellRequestContext> {
        RouteCollection(context: DwellRequestContext.self)
            .get("/gate", use: show)
            .get("/gate/code") { _, _ in pages.account(.gateCode) }
            .get("/gate/check", use: check)
    }

    var endpoints: RouteCollection<DwellRequestContext> {
        RouteCollection(context: DwellRequestContext.self)
            .post("/api/verify-temp-access", use: verify)
            .post("/api/verify-temp-access/code", use: confirm)
    }

    /// The page; a target that is not on this site is forgotten.
    private func show(_ request: Request, context: DwellRequestContext) throws -> Response {
        let query = request.uri.queryParameters
        let gate = try gates.gate(named: query["gate"].map(String.init))
        try gate.checkOpen()
        return pages.gate(gate.rules, next: Self.target(query["next"].map(String.init), of: gate))
    }

    /// Tells a proxy whether a visitor may see a page: 204 with who it is; or 401 with the way to the gate, which is a
    /// redirect for proxies that pass it on.
    private func check(_ request: Request, context: DwellRequestContext) async throws -> Response {
        let gate = try gates.gate(named: request.uri.queryParameters["gate"].map(String.init))
        var response = Response(status: .noContent, headers: .noPage)
        if let holder = try await gate.holder(ofPass: request.cookie(.access(to: gate.rules))) {
            response.headers[.remoteEmail] = holder.email.addingPercentEncoding(withAllowedCharacters: .plainHeader)
            response.headers[.remoteIdentity] = holder.identity.rawValue
        } else {
            // nginx understands 401 alone; Caddy and Traefik answer the visitor what they are answered.
            let original = request.headers[.originalURI]
            let forwarded = request.headers[.forwardedURI]
            response.status = original == nil && forwarded != nil ? .seeOther : .unauthorized
            let site = gate.rules.site(ofHost: request.headers[.forwardedHost] ?? request.head.authority)
            let target = (original ?? forwarded).flatMap { try? LocalPath.check($0) } ?? gate.rules.target
            response.headers[.location] = (site ?? "") + gate.rules.page(for: target)
        }
        return response
    }

    private func verify(_ request: Request, context: DwellRequestContext) async throws -> Response {
        switch request.mediaType {
        case "application/json":
            return try await enter(try await request.json(EntryBody.self), request, context) { target, entry in
                try .json(
                    GateReply(
                        redirect: target,
                        token: entry.map { tokens.token(viewer: $0.viewer, entry: $0.id) }))
            }
        case "application/x-www-form-urlencoded":
            let text = String(buffer: try await request.bodyBytes())
            guard let body = try? URLEncodedFormDecoder().decode(EntryBody.self, from: text) else {
                return pages.gate(
                    .standard, next: GateRules.standard.target, message: "The form can't be read", status: .badRequest)
            }
            do {
                return try await enter(body, request, context) { target, _ in .redirect(to: target, type: .normal) }
            } catch {
                let shown = PublicError(error)
                guard shown.status.kind == .clientError else { throw error }
                let gate = try gates.gate(named: body.gate)
                return pages.gate(
                    gate.rules, next: Self.target(body.next, of: gate), email: body.email, message: shown.message,
                    status: shown.status
                ).with(shown.headers)
            }
        default:
            throw BodyError.unsupported("application/x-www-form-urlencoded or application/json")
        }
    }

    /// - Parameter answer: Takes where to go on, and the new session when there is one already
    private func enter(
        _ body: EntryBody, _ request: Request, _ context: DwellRequestContext,
        _ answer: (String, Entry?) throws -> Response
    ) async throws -> Response {
        let keys = [GuessLimiter.Key.address(.gate, context.address?.connection)]
        return try await attempts.run(Attempt(.gate, address: context.address), keys, alwaysCounts: true) {
            try await entered(body, request, context, answer)
        }
    }

    private func entered(
        _ body: EntryBody, _ request: Request, _ context: DwellRequestContext,
        _ answer: (String, Entry?) throws -> Response
    ) async throws -> Response {
        let gate = try gates.gate(named: body.gate)
        let target = try body.next.flatMap { $0.isEmpty ? nil : try LocalPath.check($0) } ?? gate.rules.target
        guard let email = body.email else { throw InvalidField("email", expected: "present") }
        switch gate.rules.level {
        case .open:
            let entry = try await gate.enter(email: email, from: context.address)
            var response = try answer(target, entry)
            admit(entry, to: gate, &response)
            return response
        case .verified:
            // Its cookies are not kept: the code could not be bound to the browser.
            guard !context.isFromListedOrigin else { throw GateError.needsOwnPage }
            let browser = try await gate.askForCode(
                email: email, target: target, host: request.head.authority, from: context.address)
            var response = try answer("/gate/code", nil)
            response.headers[.cacheControl] = "no-store"
            response.setCookie(cookies.code(.gate, browser))
            return response
        }
    }

    private func confirm(_ request: Request, context: DwellRequestContext) async throws -> Response {
        let address = context.address
        let browser = request.cookie(.gate)
        var entered: (gate: Gate, entry: Entry, target: String)
        var response: Response
        switch request.mediaType {
        case "application/json":
            entered = try await confirm(try await request.json(CodeBody.self).code, browser, address)
            response = try .json(
                GateReply(
                    redirect: entered.target,
                    token: tokens.token(viewer: entered.entry.viewer, entry: entered.entry.id)))
        case "application/x-www-form-urlencoded":
            let text = String(buffer: try await request.bodyBytes())
            do {
                let body = try? URLEncodedFormDecoder().decode(CodeBody.self, from: text)
                entered = try await confirm(body?.code ?? "", browser, address)
                response = .redirect(to: entered.target, type: .normal)
            } catch {
                let shown = PublicError(error)
                guard shown.status.kind == .clientError else { throw error }
                return pages.account(.gateCode, refused: shown)
            }
        default:
            throw BodyError.unsupported("application/x-www-form-urlencoded or application/json")
        }
        admit(entered.entry, to: entered.gate, &response)
        response.setCookie(cookies.clear(.gate))
        return response
    }

    private func confirm(
        _ code: String, _ browser: String?, _ address: ClientAddress?
    ) async throws -> (gate: Gate, entry: Entry, target: String) {
        try await attempts.run(Attempt(.gate, address: address), [.address(.code, address?.connection)]) {
            try await gates.confirm(code, browser: browser, from: address)
        }
    }

    /// Gives the browser a pass, and the name of its session.
    private func admit(_ entry: Entry, to gate: Gate, _ response: inout Response) {
        response.headers[.cacheControl] = "no-store"
        response.setCookie(cookies.sessionRecord(gate.sessionCookie(for: entry), maxAge: gate.lifetime))
        response.setCookie(cookies.make(.access(to: gate.rules), gate.pass(for: entry), maxAge: gate.lifetime))
    }

    /// A target that can be offered: the given one, if it is on this site.
    private static func target(_ next: String?, of gate: Gate) -> String {
        next.flatMap { try? LocalPath.check($0) } ?? gate.rules.target
    }

    private struct EntryBody: Decodable {
        var email: String?
        var next: String?
        var gate: String?
    }

    private struct CodeBody: Decodable {
        var code: String
    }
}

extension CookieMaker {
    /// The cookie that names a gate session. The page's script may read it, as in the blueprint.
    func sessionRecord(_ value: String, maxAge: Int) -> Cookie {
        make(.sessionRecord, value, maxAge: maxAge, isReadable: true, sameSite: .strict)
    }
}

extension CharacterSet {
    /// What stands in a header as it is; everything else is percent-encoded.
    fileprivate static let plainHeader = CharacterSet(charactersIn: "!"..."~").subtracting(
        CharacterSet(charactersIn: "%"))
}
