import DwellAPI
import Foundation
import Hummingbird
import Logging

/// What owners do for a person by the forms of the dashboard.
struct PersonForms {
    let archives: PersonArchives
    let erasures: Erasures
    let exclusions: Exclusions
    let operators: Operators

    var endpoints: RouteCollection<DwellRequestContext> {
        RouteCollection(context: DwellRequestContext.self)
            .post("/dashboard/person/export", use: export)
            .post("/dashboard/person/erase", use: erase)
            .post("/dashboard/person/exclude", use: exclude)
            .post("/dashboard/person/include", use: include)
    }

    private func export(_ request: Request, context: DwellRequestContext) async throws -> Response {
        let asker = try await owner(request)
        return .zip(try await archives.open(try await Form(request).person(), by: asker), logger: context.logger)
    }

    private func erase(_ request: Request, context: DwellRequestContext) async throws -> Response {
        let asker = try await owner(request)
        let form = try await Form(request)
        let person = try form.person()
        let name = form.name ?? (form.username.isEmpty ? form.email : form.username)
        guard form.confirm == name else { throw InvalidField("What you type to confirm", expected: name) }
        _ = try await erasures.begin(person, by: asker)
        return Response.redirect(to: "/dashboard/settings#erasures").with(.noPage)
    }

    private func exclude(_ request: Request, context: DwellRequestContext) async throws -> Response {
        let asker = try await owner(request)
        let form = try await Form(request)
        _ = try await exclusions.exclude(try form.person(), reason: form.reason ?? "", by: asker)
        return Response.redirect(to: try form.path()).with(.noPage)
    }

    private func include(_ request: Request, context: DwellRequestContext) async throws -> Response {
        let asker = try await owner(request)
        let form = try await Form(request)
        _ = try await exclusions.include(try form.person(), by: asker)
        return Response.redirect(to: try form.path()).with(.noPage)
    }

    /// What is not for a viewer is not there.
    private func owner(_ request: Request) async throws -> Asker {
        guard let found = try await operators.operator(by: request.cookie(.signIn)) else {
            throw PublicError.unauthorized
        }
        guard found.role == .owner else { throw PublicError.notFound }
        return .operator(found.name)
    }

    /// What the forms send. A name that was not asked by is empty.
    private struct Form: Decodable {
        var id: String?
        var email: String
        var username: String
        var reason: String?
        /// What the person is called on the page.
        var name: String?
        var confirm: String?

        init(_ request: Request) async throws {
            self = try await request.form(Form.self)
        }

        func person() throws(InvalidField) -> PersonName { try asked().person }

        /// The page that the form is on.
        func path() throws(InvalidField) -> String { try asked().path }

        private func asked() throws(InvalidField) -> AskedPerson {
            let names = [
                (name: "id", value: id ?? ""), (name: "email", value: email), (name: "username", value: username),
            ]
            return try AskedPerson(names.filter { !$0.value.isEmpty })
        }
    }
}
