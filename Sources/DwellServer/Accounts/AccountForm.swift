import DwellAPI
import Hummingbird

/// Answers what a page's form or a program sends: the form by a page, the program by JSON.
struct AccountForm {
    let pages: Pages

    /// The answer to a request that was right.
    struct Answer {
        /// For programs.
        let message: String
        /// For people.
        let page: AccountPage
        let cookie: Cookie
    }

    /// Reads a request and answers it.
    /// - Parameters:
    ///   - request: With a body of JSON, or of a form
    ///   - page: What the form is on; it is shown again when something is refused
    ///   - body: Does what is asked
    func answer<Body: Decodable>(
        _ request: Request, on page: AccountPage, _ body: (Body) async throws -> Answer
    ) async throws -> Response {
        let answer: Answer
        var response: Response
        switch request.mediaType {
        case "application/json":
            answer = try await body(try await request.json(Body.self))
            response = try .json(MessageReply(answer.message))
        case "application/x-www-form-urlencoded":
            do {
                answer = try await body(try await request.form(Body.self))
                response = pages.account(answer.page)
            } catch {
                let shown = PublicError(error)
                guard shown.status.kind == .clientError else { throw error }
                return pages.account(page, refused: shown)
            }
        default:
            throw BodyError.unsupported("application/x-www-form-urlencoded or application/json")
        }
        response.setCookie(answer.cookie)
        return response
    }
}
