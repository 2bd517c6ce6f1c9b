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
        case now, overview, viewers, person, sessions, evidence, videos, audience, gates, gate, devices, webhooks, audit
        case settings

        /// Whether it is for owners alone.
        var isForOwners: Bool { [.webhooks, .audit, .settings].contains(self) }

        /// What stands in the list of pages; pages that others lead to do not.
        var link: (title: String, path: String)? {
            switch self {
            case .now: ("Now", "/dashboard")
            case .overview: ("Overview", "/dashboard/overview")
            case .viewers: ("People", "/dashboard/people")
            case .sessions: ("Sessions", "/dashboard/sessions")
            case .videos: ("Videos", "/dashboard/videos")
            case .gates: ("Gates", "/dashboard/gates")
            case .devices: ("Devices", "/dashboard/devices")
            case .webhooks: ("Webhooks", "/dashboard/webhooks")
            case .audit: ("Audit", "/dashboard/audit")
            case .settings: ("Settings", "/dashboard/settings")
            case .evidence, .person, .audience, .gate: nil
            }
        }

        /// The page of the list that leads to this one.
        var listedUnder: Name? {
            switch self {
            case .person: .viewers
            case .evidence: .sessions
            case .audience: .videos
            case .gate: .gates
            default: nil
            }
        }
    }

    private let library: MustacheLibrary

    init() throws {
        let shared: [String: WebAsset] = [
            "layout": .dashboardLayout, "chart": .dashboardChart, "list": .dashboardList, "ranks": .dashboardRanks,
            "people": .dashboardPeople, "progress": .dashboardProgress, "day": .dashboardDay, "door": .dashboardDoor,
            "failure": .dashboardFailure, "rights": .dashboardRights, "receipts": .dashboardReceipts,
        ]
        let own: [Name: WebAsset] = [
            .now: .dashboardNow, .overview: .dashboardOverview, .sessions: .dashboardSessions,
            .viewers: .dashboardViewers, .person: .dashboardPerson, .evidence: .dashboardEvidence,
            .videos: .dashboardVideos, .audience: .dashboardAudience, .gates: .dashboardGates, .gate: .dashboardGate,
            .devices: .dashboardDevices, .webhooks: .dashboardWebhooks, .audit: .dashboardAudit,
            .settings: .dashboardSettings,
        ]
        let files = own.reduce(into: shared) { $0[$1.key.rawValue] = $1.value }
        library = MustacheLibrary(templates: try files.mapValues { try MustacheTemplate(string: $0.text) })
    }

    /// A page for somebody who is signed in.
    func page(_ name: Name, title: String, for reader: Operator, _ content: some Any) throws -> Response {
        .dashboard(try render(Frame(title, at: name, for: reader, content), name.rawValue))
    }

    /// What somebody who is signed in sees in place of a page.
    func failure(_ error: PublicError, for reader: Operator) throws -> Response {
        let content = ["isMissing": error.status == .notFound]
        var response = Response.dashboard(
            try render(Frame(error.message, at: nil, for: reader, content), "failure"))
        response.status = error.status
        return response.with(error.headers)
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
        guard let value = TemplateValue.of(value), let text = library.render(value, withTemplate: template) else {
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

        init(_ title: String, at name: Name?, for reader: Operator, _ content: Content) {
            self.title = title
            self.operator = reader.name
            links = Name.allCases.filter { reader.role == .owner || !$0.isForOwners }.compactMap { other in
                other.link.map { link in
                    Link(title: link.title, path: link.path, isCurrent: other == (name?.listedUnder ?? name))
                }
            }
            self.content = content
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
