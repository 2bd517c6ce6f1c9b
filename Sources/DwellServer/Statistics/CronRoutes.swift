import Crypto
import DwellAPI
import Foundation
import Hummingbird

/// The trigger for a cron job outside; Dwell runs the same job by itself.
struct CronRoutes {
    let statistics: Statistics
    /// `nil` refuses every request: no key was set for a public site.
    let accessKey: String?
    let attempts: Attempts

    var endpoints: RouteCollection<DwellRequestContext> {
        RouteCollection(context: DwellRequestContext.self)
            .get("/cronjob/trigger", use: trigger)
            .post("/cronjob/trigger", use: trigger)
    }

    private func trigger(_ request: Request, context: DwellRequestContext) async throws -> Response {
        let given = request.bearerToken ?? request.uri.queryParameters["accessKey"].map(String.init)
        let attempt = Attempt(.cronKey, address: context.address)
        try await attempts.run(attempt, [.address(.key, context.address?.connection)]) {
            guard let given, let accessKey, Self.isEqual(given, accessKey) else { throw KeyError() }
        }
        try await statistics.aggregate()
        return try .json(MessageReply("Aggregated \(try await statistics.accountCount()) Users"))
    }

    /// Compares digests, so that the time taken tells nothing about the key.
    private static func isEqual(_ left: String, _ right: String) -> Bool {
        SHA256.hash(data: Data(left.utf8)) == SHA256.hash(data: Data(right.utf8))
    }
}

extension Request {
    /// The token of an `Authorization: Bearer` header.
    var bearerToken: String? { headers[.authorization]?.bearerToken }
}

extension String {
    /// The token, when this is the value of an `Authorization: Bearer` header.
    var bearerToken: String? {
        guard lowercased().hasPrefix("bearer ") else { return nil }
        return String(dropFirst("bearer ".count)).trimmingCharacters(in: .whitespaces)
    }
}
