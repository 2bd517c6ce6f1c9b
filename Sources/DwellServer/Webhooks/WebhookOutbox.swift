import DwellAPI
import Foundation
import NIOCore

/// Writes events for the endpoints that ask for them, in the transaction of what they tell of: none is lost with the
/// process, and none tells of what did not happen.
struct WebhookOutbox {
    let connection: any DatabaseConnection

    /// Tells of something.
    /// - Parameters:
    ///   - viewer: Whom it is about: it is forgotten with them
    ///   - content: Made only where somebody asks for it; `nil` tells nothing
    func tell<Content: WebhookContent>(
        about viewer: Int64, at time: Timestamp, _ content: () throws -> Content?
    ) throws {
        let webhooks = try WebhookQueries(connection: connection).listening(to: Content.type)
        guard !webhooks.isEmpty, let content = try content() else { return }
        try tell(content, to: webhooks, about: viewer, at: time)
    }

    /// Tells endpoints that ask for it of something.
    func tell<Content: WebhookContent>(
        _ content: Content, to webhooks: [UUID], about viewer: Int64, at time: Timestamp
    ) throws {
        // Nobody is told of somebody who is to be forgotten.
        let erasing = try connection.row("SELECT 1 AS one FROM erasing WHERE viewer_id = $1", [viewer])
        guard erasing == nil else { return }
        let body = String(buffer: try JSONBody.encode(WebhookEvent(content, at: time)))
        let event = UUID()
        for webhook in webhooks {
            try WebhookDeliveryQueries(connection: connection)
                .insert(body, Content.type, event: event, to: webhook, about: viewer, at: time)
        }
    }

    /// Whether anybody asks for events of a type.
    func isAskedFor(_ type: WebhookEventType) throws -> Bool {
        try !WebhookQueries(connection: connection).listening(to: type).isEmpty
    }

    /// A person as events name them.
    func person(_ viewer: Int64) throws -> ViewerRecord? {
        try connection.row("\(Self.person) WHERE viewer.id = $1", [viewer]).map(ViewerRecord.init(person:))
    }

    /// The owner of an account as events name them.
    func owner(of account: UUID) throws -> ViewerRecord? {
        try connection.row("\(Self.person) WHERE account.id = $1", [account]).map(ViewerRecord.init(person:))
    }

    /// The name of a video.
    func video(_ id: Int64) throws -> String? {
        try connection.row("SELECT name FROM content WHERE id = $1", [id])?["name"]
    }

    private static let person = """
        SELECT viewer.id, viewer.kind, coalesce(viewer.email, account.email) AS email, account.username
        FROM viewer LEFT JOIN account ON account.viewer_id = viewer.id
        """
}

extension ViewerRecord {
    fileprivate init(person row: Row) throws {
        self.init(id: try row["id"], kind: try row["kind"], email: try row["email"], username: try row["username"])
    }
}
