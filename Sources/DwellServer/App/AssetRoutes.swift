import Crypto
import Foundation
import Hummingbird
import NIOCore
import WebAssets

/// The files that are part of the program.
struct AssetRoutes {
    var endpoints: RouteCollection<DwellRequestContext> {
        let routes = RouteCollection(context: DwellRequestContext.self)
        for (path, text, type) in [
            ("/dwell.js", WebAsset.script.withoutComments, "text/javascript"),
            ("/dwell-code.js", WebAsset.codeScript.withoutComments, "text/javascript"),
            ("/dwell.d.ts", WebAsset.scriptTypes.text, "text/plain"),
            ("/dwell.css", WebAsset.style.text, "text/css"),
            ("/dashboard/style.css", WebAsset.dashboardStyle.text, "text/css"),
            ("/dashboard/live.js", WebAsset.dashboardLiveScript.withoutComments, "text/javascript"),
            ("/dashboard/setup.js", WebAsset.dashboardSetupScript.withoutComments, "text/javascript"),
            ("/dashboard/icon.svg", WebAsset.dashboardIcon.text, "image/svg+xml"),
        ] {
            let file = AssetFile(text: text, type: type)
            routes.get(RouterPath(path)) { request, context in
                try await file.response(to: request, context: context)
            }
        }
        return routes
    }
}

private struct AssetFile: Sendable {
    let bytes: ByteBuffer
    let type: String
    /// Changes when the program's file does.
    let eTag: String

    init(text: String, type: String) {
        bytes = ByteBuffer(string: text)
        self.type = "\(type); charset=utf-8"
        let digest = SHA256.hash(data: Data(text.utf8)).prefix(8).hexadecimal
        eTag = "\"\(digest)\""
    }

    func response(to request: Request, context: DwellRequestContext) async throws -> Response {
        // Asked for again each time, answered with 304 until a new version is installed.
        let headers: HTTPFields = [.cacheControl: "no-cache"]
        return try await request.ifNoneMatch(headers: headers, eTag: eTag, context: context) {
            Response(status: .ok, headers: [.contentType: type], body: .init(byteBuffer: bytes))
        }
    }
}
