import DwellAPI
import Foundation
import Hummingbird
import Logging
import NIOCore

/// What a program does for a person: an archive, the end of everything, and whether they count.
struct RightsRoutes {
    let archives: PersonArchives
    let erasures: Erasures
    let exclusions: Exclusions
    let keys: APIKeys
    let attempts: Attempts

    /// What may be asked for from anywhere. It changes nothing.
    var shown: RouteCollection<DwellRequestContext> {
        RouteCollection(context: DwellRequestContext.self)
            .get("/api/v1/viewers/{id}/archive", use: archive)
            .get("/api/v1/erasures", use: receipts)
            .get("/api/v1/erasures/{id}", use: receipt)
            .get("/api/v1/exclusions", use: excluded)
    }

    var endpoints: RouteCollection<DwellRequestContext> {
        RouteCollection(context: DwellRequestContext.self)
            .delete("/api/v1/viewers/{id}", use: erase)
            .put("/api/v1/viewers/{id}/exclusion", use: exclude)
            .delete("/api/v1/viewers/{id}/exclusion", use: include)
    }

    private func archive(_ request: Request, context: DwellRequestContext) async throws -> Response {
        let asker = try await manager(request, context)
        return .zip(try await archives.open(try Self.person(context), by: asker), logger: context.logger)
    }

    private func erase(_ request: Request, context: DwellRequestContext) async throws -> Response {
        let asker = try await manager(request, context)
        let receipt = try await erasures.begin(try Self.person(context), by: asker)
        return try Response.json(receipt, status: .accepted).with([.location: "/api/v1/erasures/\(receipt.id)"])
    }

    private func receipts(_ request: Request, context: DwellRequestContext) async throws -> Response {
        try await keys.authenticate(request, context, attempts, scope: .audit)
        let page = try request.latestPage()
        return try .json(try await erasures.receipts(after: page.last, limit: page.limit))
    }

    private func receipt(_ request: Request, context: DwellRequestContext) async throws -> Response {
        try await keys.authenticate(request, context, attempts, scope: .audit)
        guard let id = context.parameters.get("id"), let receipt = try await erasures.receipt(id) else {
            throw PublicError.notFound
        }
        return try .json(receipt)
    }

    private func exclude(_ request: Request, context: DwellRequestContext) async throws -> Response {
        let asker = try await manager(request, context)
        let person = try Self.person(context)
        let reason = try await request.json(ExclusionBody.self).reason
        guard let excluded = try await exclusions.exclude(person, reason: reason, by: asker).first else {
            throw PublicError.notFound
        }
        return try .json(excluded)
    }

    private func include(_ request: Request, context: DwellRequestContext) async throws -> Response {
        let asker = try await manager(request, context)
        _ = try await exclusions.include(try Self.person(context), by: asker)
        return Response(status: .noContent).with(.noPage)
    }

    private func excluded(_ request: Request, context: DwellRequestContext) async throws -> Response {
        _ = try await manager(request, context)
        return try .json(ExclusionList(exclusions: try await exclusions.list()))
    }

    /// - Returns: Whose key may change things
    private func manager(_ request: Request, _ context: DwellRequestContext) async throws -> Asker {
        .key(try await keys.authenticate(request, context, attempts, scope: .manage).name)
    }

    private static func person(_ context: DwellRequestContext) throws(PublicError) -> PersonName {
        guard let id = context.parameters.get("id").flatMap({ Int64($0) }) else { throw .notFound }
        return .viewer(id)
    }
}

extension Response {
    /// An archive, written while it is read.
    static func zip(_ archive: PersonArchive, logger: Logger) -> Response {
        Response(
            status: .ok,
            headers: [
                .contentType: "application/zip", .contentDisposition: "attachment; filename=\"person.zip\"",
            ],
            body: ResponseBody { writer in
                do {
                    try await archive.write { try await writer.write($0) }
                } catch {
                    // The client sees a body without an end.
                    logger.error("archive ended early", metadata: ["cause": "\(error)"])
                    throw error
                }
                try await writer.finish(nil)
            }
        ).with(.noPage)
    }
}
