import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOPosix

/// The folder of static pages.
struct Site: Sendable {
    /// The folder whose pages need the gate when nothing else is set.
    static let confidentialFolder = "confidential"

    /// The folder's real path, without a slash at the end.
    private let root: String
    /// Files that are never served, nor what begins with their names, such as a database's secret key.
    private let withheld: [String]

    /// - Parameters:
    ///   - folder: An existing folder
    ///   - withheld: Files that are never served, though they may lie in the folder: the database, the settings
    init(folder: String, withheld: [String]) throws(InvalidField) {
        guard let root = Self.realPath(folder), Self.isFolder(root) else {
            throw InvalidField("site", expected: "an existing folder of pages, not \(folder)")
        }
        self.root = root
        self.withheld = withheld.map { path in
            let url = URL(fileURLWithPath: path)
            let parent = Self.realPath(url.deletingLastPathComponent().path(percentEncoded: false)) ?? ""
            return Self.realPath(path) ?? "\(parent)/\(url.lastPathComponent)"
        }
    }

    /// The file that a request's path leads to.
    /// - Parameter path: Without percent signs
    /// - Returns: The real path, inside the folder; `nil` when there is none, or it leads out, or it is hidden
    func file(at path: String) -> String? {
        let parts = path.split(separator: "/")
        guard !path.utf8.contains(0), !parts.contains(where: { $0.hasPrefix(".") && $0 != "." }),
            let file = Self.realPath(([root] + parts.map(String.init)).joined(separator: "/")),
            file == root || file.hasPrefix(root + "/"), !withheld.contains(where: file.hasPrefix)
        else { return nil }
        return file
    }

    /// Where a path is in the site, by its name and by where it really leads.
    /// - Parameter path: Without percent signs
    func places(of path: String) -> [[String]] {
        // A folder's page may lie elsewhere than the folder.
        let real = [path, path + "/index.html"].compactMap { file(at: $0)?.dropFirst(root.count) }
        return [Self.parts(of: path)] + real.map { Self.parts(of: $0) }
    }

    /// The folders of a path and what is in the last, in lower case: on some disks capitals make no difference.
    static func parts(of path: some StringProtocol) -> [String] {
        path.split(separator: "/").filter { $0 != "." }.map { $0.lowercased() }
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
