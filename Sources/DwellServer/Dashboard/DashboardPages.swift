import DwellAPI
import Foundation
import Hummingbird
import Mustache
import NIOCore
import WebAssets

/// The pages of the dashboard.
struct DashboardPages: Sendable {
    /// The name of a page, which is its template's.
    enum Name: String, CaseIterable {
        case now, overview, sessions, evidence, person, videos, audience, devices, webhooks, audit, settings

        /// Whether it is for owners alone.
        var isForOwners: Bool { [.webhooks, .audit, .settings].contains(self) }

        /// What stands in the list of pages; pages that others lead to do not.
        var link: (title: String, path: String)? {
            switch self {
            case .now: ("Now", "/dashboard")
            case .overview: ("Overview", "/dashboard/overview")
            case .sessions: ("Sessions", "/dashboard/sessions")
            case .videos: ("Videos", "/dashboard/videos")
            case .devices: ("Devices", "/dashboard/devices")
            case .webhooks: ("Webhooks", "/dashboard/webhooks")
            case .audit: ("Audit", "/dashboard/audit")
            case .settings: ("Settings", "/dashboard/settings")
            case .evidence, .person, .audience: nil
            }
        }
    }

    private let library: MustacheLibrary

    init() throws {
        let shared: [String: WebAsset] = [
            "layout": .dashboardLayout, "chart": .dashboardChart, "list": .dashboardList, "ranks": .dashboardRanks,
            "people": .dashboardPeople, "progress": .dashboardProgress, "door": .dashboardDoor,
            "rights": .dashboardRights, "receipts": .dashboardReceipts,
        ]
        let own: [Name: WebAsset] = [
            .now: .dashboardNow, .overview: .dashboardOverview, .sessions: .dashboardSessions,
            .evidence: .dashboardEvidence, .person: .dashboardPerson, .videos: .dashboardVideos,
            .audience: .dashboardAudience, .devices: .dashboardDevices, .webhooks: .dashboardWebhooks,
            .audit: .dashboardAudit, .settings: .dashboardSettings,
        ]
        let files = own.reduce(into: shared) { $0[$1.key.rawValue] = $1.value }
        library = MustacheLibrary(templates: try files.mapValues { try MustacheTemplate(string: $0.text) })
    }

    /// A page for somebody who is signed in.
    func page(_ name: Name, title: String, for reader: Operator, _ content: some Any) throws -> Response {
        let frame = Frame(
            title: title, operator: reader.name,
            links: Name.allCases.filter { reader.role == .owner || !$0.isForOwners }.compactMap { other in
                other.link.map { Frame.Link(title: $0.title, path: $0.path, isCurrent: other == name) }
            }, content: content)
        return .dashboard(try render(frame, name.rawValue))
    }

    /// What changes of the page of those who are here now.
    func people(_ page: NowPage) throws -> String {
        try render(page, "people")
    }

    /// The page at which operators sign in, or the first one is made.
    func door(_ door: DashboardDoor, status: HTTPResponse.Status = .ok) throws -> Response {
        var response = Response.dashboard(try render(door, "door"))
        response.status = status
        return response
    }

    private func render(_ value: some Any, _ template: String) throws -> String {
        guard let text = library.render(value, withTemplate: template) else {
            throw PublicError(status: .internalServerError, code: .internalError, message: "Internal Server Error")
        }
        return text
    }

    /// What is around every page.
    private struct Frame<Content> {
        let title: String
        let `operator`: String
        let links: [Link]
        let content: Content

        struct Link {
            let title: String
            let path: String
            let isCurrent: Bool
        }
    }
}

/// The form by which somebody comes in.
struct DashboardDoor {
    let title: String
    let text: String
    let action: String
    let button: String
    /// Whether the server's code is asked for.
    let asksCode: Bool
    /// Where to go on.
    var next: String?
    var name: String?
    /// Why the form was refused before.
    var message: String?

    static let signIn = DashboardDoor(
        title: "Sign in", text: "The dashboard is for those who run this server.", action: "/dashboard/sign-in",
        button: "Sign in", asksCode: false)
    static let setup = DashboardDoor(
        title: "Set up the dashboard",
        text:
            "Choose the name and the password of its first operator. The code is what the server printed when it started.",
        action: "/dashboard/setup", button: "Set up", asksCode: true)

    /// The same form, and why it was refused.
    func refused(_ message: String, name: String?) -> DashboardDoor {
        var door = self
        door.message = message
        door.name = name
        return door
    }
}

extension Response {
    /// A page that does nothing but what its own files say.
    fileprivate static func dashboard(_ html: String) -> Response {
        Response(
            status: .ok,
            headers: [
                .contentType: "text/html; charset=utf-8", .cacheControl: "no-store",
                .contentSecurityPolicy: """
                default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                form-action 'self'; frame-ancestors 'none'; base-uri 'none'
                """,
            ],
            body: ResponseBody(byteBuffer: ByteBuffer(string: html)))
    }
}
