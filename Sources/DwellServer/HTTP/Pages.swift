import Foundation
import Hummingbird
import Mustache
import WebAssets

/// The pages that the server makes itself.
struct Pages: Sendable {
    private let gate: MustacheTemplate
    private let account: MustacheTemplate
    private let error: MustacheTemplate

    init() throws {
        gate = try MustacheTemplate(string: WebAsset.gatePage.text)
        account = try MustacheTemplate(string: WebAsset.accountPage.text)
        error = try MustacheTemplate(string: WebAsset.errorPage.text)
    }

    /// The page that asks for an email.
    /// - Parameters:
    ///   - rules: Of the gate
    ///   - next: Where the visitor wants to go
    ///   - email: What was typed before
    ///   - message: Why that was refused
    func gate(
        _ rules: GateRules, next: String, email: String? = nil, message: String? = nil,
        status: HTTPResponse.Status = .ok
    ) -> Response {
        let values = [
            "next": next, "email": email, "message": message,
            "gate": rules.name == GateRules.standardName ? nil : rules.name,
            "code": rules.level == .verified ? "mailed" : nil,
        ]
        return .html(gate.render(values.compactMapValues(\.self)), status: status)
    }

    /// A page about an account.
    func account(_ page: AccountPage) -> Response {
        .html(account.render(page), status: page.message == nil ? .ok : .badRequest)
    }

    /// The same page once more, and why it was refused.
    func account(_ page: AccountPage, refused error: PublicError) -> Response {
        var response = account(page.refused(error.message)).with(error.headers)
        response.status = error.status
        return response
    }

    /// The page for an error.
    func error(status: HTTPResponse.Status, message: String) -> Response {
        .html(error.render(["status": "\(status.code)", "message": message]), status: status)
    }
}
