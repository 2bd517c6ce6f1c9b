import Foundation
import Hummingbird
import Mustache
import NIOCore
import WebAssets

/// The description of every route: for programs, and as a page.
struct OpenAPIRoutes {
    private let document: ByteBuffer
    private let page: String
    private let style = WebAsset.openAPIStyle.text

    /// - Parameter address: How people reach the server, for the examples
    init(address: String) throws {
        let own = try OpenAPIDocument.own.get()
        document = try JSONBody.encode(own.root)
        page = try MustacheTemplate(string: WebAsset.openAPIPage.text).render(OpenAPIPage(own, address: address))
    }

    /// For everybody: what can be asked is no secret.
    var endpoints: RouteCollection<DwellRequestContext> {
        RouteCollection(context: DwellRequestContext.self)
            .get("/api/v1/openapi.json") { request, _ in
                Response.json(document, keptAs: "no-cache", unlessKnownBy: request)
            }
            .get("/api/v1/docs") { _, _ in Response.html(page) }
            .get("/api/v1/docs/style.css") { _, _ in
                Response(
                    status: .ok, headers: [.contentType: "text/css; charset=utf-8", .cacheControl: "no-cache"],
                    body: ResponseBody(byteBuffer: ByteBuffer(string: style)))
            }
    }
}
