import Hummingbird
import Synchronization

/// Header fields that the answer to a request is to have whatever becomes of it: also when it is refused later.
final class AnswerFields: Sendable {
    private let fields = Mutex(HTTPFields())

    var all: HTTPFields { fields.withLock(\.self) }

    func add(_ more: HTTPFields) {
        fields.withLock { fields in
            for field in more { fields[field.name] = field.value }
        }
    }
}

/// Puts them on the answer.
struct AnswerFieldsMiddleware: RouterMiddleware {
    typealias Context = DwellRequestContext

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        try await next(request, context).with(context.answerFields.all)
    }
}
