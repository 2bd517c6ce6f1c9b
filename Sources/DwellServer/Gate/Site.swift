import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOPosix

/// The folder of static pages, and what in it is confidential.
struct Site: Sendable {
    /// The folder whose pages need the gate.
    static let confidentialFolder = "confidential"

    /// The folder's real path, without a slash at the end.
    private let root: String
    /// The database's real path: never served, nor what lies beside it by the same name, such as its secret key.
    private let database: String

    /// - Parameters:
    ///   - folder: An existing folder
    ///   - database: The path of the database, which may lie in the folder
    init(folder: String, database: String) throws(InvalidField) {
        guard let root = Self.realPath(folder), Self.isFolder(root) else {
            throw InvalidField("site", expected: "an existing folder of pages, not \(folder)")
        }
        self.root = root
        let url = URL(fileURLWithPath: database)
        let parent = Self.realPath(url.deletingLastPathComponent().path(percentEncoded: false)) ?? ""
        self.database = "\(parent)/\(url.lastPathComponent)"
    }

    /// The file that a request's path leads to.
    /// - Parameter path: Without percent signs
    /// - Returns: The real path, inside the folder; `nil` when there is none, or it leads out, or it is hidden
    func file(at path: String) -> String? {
        let parts = path.split(separator: "/")
        guard !path.utf8.contains(0), !parts.contains(where: { $0.hasPrefix(".") && $0 != "." }),
            let file = Self.realPath(([root] + parts.map(String.init)).joined(separator: "/")),
            file == root || file.hasPrefix(root + "/"), !file.hasPrefix(database)
        else { return nil }
        return file
    }

    /// Whether a path needs the gate, by its name or by where it really leads.
    func isConfidential(_ path: String) -> Bool {
        let named = path.split(separator: "/").first { $0 != "." }
        let real = file(at: path)?.dropFirst(root.count).split(separator: "/").first
        return [named, real].contains { $0?.lowercased() == Self.confidentialFolder }
    }

    private static func realPath(_ path: String) -> String? {
        guard let real = realpath(path, nil) else { return nil }
        defer { free(real) }
        return String(cString: real)
    }

    private static func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
    }
}

/// Hands the site's files to Hummingbird's file middleware, which knows types, ranges and validators.
struct SiteFiles: FileProvider {
    private let site: Site
    private let files: LocalFileSystem

    init(site: Site) {
        self.site = site
        // It would log that it serves `/`: true of the paths it is given, which are whole, but not of what people get.
        let silent = Logger(label: "site") { _ in SwiftLogNoOpLogHandler() }
        files = LocalFileSystem(rootFolder: "/", threadPool: .singleton, logger: silent)
    }

    func getFileIdentifier(_ path: String) -> String? {
        site.file(at: path)
    }

    func getAttributes(id: String) async throws -> LocalFileSystem.FileAttributes? {
        try await files.getAttributes(id: id)
    }

    func loadFile(id: String, context: some RequestContext) async throws -> ResponseBody {
        try await files.loadFile(id: id, context: context)
    }

    func loadFile(id: String, range: ClosedRange<Int>, context: some RequestContext) async throws -> ResponseBody {
        try await files.loadFile(id: id, range: range, context: context)
    }
}

/// Sends who asks for a confidential page without a pass to the gate.
struct GateMiddleware: RouterMiddleware {
    typealias Context = DwellRequestContext

    let site: Site
    let gate: Gate

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        // Files are served to these two only; heartbeats must not pay for a look at the disk.
        guard [.get, .head].contains(request.method) else { return try await next(request, context) }
        guard let path = request.uri.path.removingPercentEncoding else { throw HTTPError(.badRequest) }
        guard site.isConfidential(path) else { return try await next(request, context) }
        guard gate.isOpen(cookie: request.cookie(.access)) else {
            var response = Response.redirect(to: "/gate?next=\(Self.target(of: request))", type: .normal)
            response.headers[.cacheControl] = "private, no-store"
            return response
        }
        var response = try await next(request, context)
        response.headers[.cacheControl] = "private, no-store"
        return response
    }

    /// Where the visitor wanted to go, as the value of a query parameter.
    private static func target(of request: Request) -> String {
        let target = request.uri.path + (request.uri.query.map { "?\($0)" } ?? "")
        let allowed = CharacterSet.urlPathAllowed.subtracting(CharacterSet(charactersIn: "&+=;"))
        return target.addingPercentEncoding(withAllowedCharacters: allowed) ?? "/"
    }
}
