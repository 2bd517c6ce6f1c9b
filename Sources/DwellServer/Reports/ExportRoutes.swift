import DwellAPI
import Hummingbird
import Logging
import NIOCore

/// Everything at once, for programs and spreadsheets.
struct ExportRoutes {
    let exports: Exports
    let keys: APIKeys
    let days: LocalDays
    let attempts: Attempts

    var endpoints: RouteCollection<DwellRequestContext> {
        RouteCollection(context: DwellRequestContext.self)
            .get("/api/v1/export/{kind}", use: export)
    }

    private func export(_ request: Request, context: DwellRequestContext) async throws -> Response {
        try await keys.authenticate(request, context, attempts)
        guard let kind = context.parameters.get("kind").flatMap(ExportKind.init(rawValue:)) else {
            throw PublicError.notFound
        }
        let (filter, named) = try asked(request, of: kind)
        let format = try named ?? accepted(by: request)
        // Before the answer begins: what goes wrong here still has a status.
        let first = try await exports.open(kind, filter, as: format)
        return Response(
            status: .ok,
            headers: [
                .contentType: "\(format.mediaType); charset=utf-8", .cacheControl: "no-store", .vary: "Accept",
                .contentDisposition: "attachment; filename=\"dwell-\(kind.rawValue).\(format.rawValue)\"",
            ],
            body: ResponseBody { writer in
                do {
                    try await write(first, to: &writer)
                } catch let error as DatabaseError {
                    // The client sees a body without an end.
                    context.logger.error("export ended early", metadata: ["kind": "\(kind)", "cause": "\(error)"])
                    throw error
                } catch {
                    context.logger.debug("export not read to its end", metadata: ["cause": "\(error)"])
                    throw error
                }
                try await writer.finish(nil)
            })
    }

    /// Reads a page when the one before is on its way: a client that reads slowly keeps one of them waiting, and one that is
    /// gone ends the work.
    private func write(_ first: ExportPage, to writer: inout any ResponseBodyWriter) async throws {
        var page = first
        while true {
            if !page.text.isEmpty { try await writer.write(ByteBuffer(string: page.text)) }
            guard let next = page.next else { return }
            page = try await next()
        }
    }

    private func asked(
        _ request: Request, of kind: ExportKind
    ) throws(InvalidField) -> (filter: SessionFilter, format: ExportFormat?) {
        var filter = SessionFilter()
        var format: ExportFormat?
        for (name, value) in request.parameters {
            switch name {
            case "email": filter.email = try EmailAddress.normalize(value)
            case "username": filter.username = value
            case "page": filter.page = value
            case "video": filter.video = value
            case "from": filter.from = try days.start(value, field: "from", of: kind)
            case "to": filter.to = try days.start(value, field: "to", of: kind)
            case "format":
                format = ExportFormat(rawValue: value)
                if format == nil { throw InvalidField("format", expected: "csv or ndjson") }
            default:
                throw InvalidField(name, expected: "format, email, username, page, video, from or to")
            }
        }
        try filter.check(for: kind)
        return (filter, format)
    }

    private func accepted(by request: Request) throws -> ExportFormat {
        guard let accept = request.headers[.accept] else { return .ndjson }
        guard let format = ExportFormat(accept: accept) else {
            throw PublicError(
                status: .notAcceptable, code: .badRequest,
                message: "Accept must allow application/x-ndjson or text/csv", field: "Accept")
        }
        return format
    }
}

extension LocalDays {
    /// A time that an export is to begin or end at. Statistics are kept by whole days.
    func start(_ text: String, field: String, of kind: ExportKind) throws(InvalidField) -> Timestamp {
        switch kind {
        case .sessions, .segments: try time(text, field: field)
        case .statistics: range(of: try ReportRoutes.day(text, field: field)).lowerBound
        }
    }
}

extension SessionFilter {
    /// Refuses what an export can't be asked.
    func check(for kind: ExportKind) throws(InvalidField) {
        if let from, let to, from >= to { throw InvalidField("to", expected: "after from") }
        if kind == .statistics, page != nil, video != nil {
            throw InvalidField("page", expected: "alone, or video: statistics are of one of the two")
        }
    }
}
