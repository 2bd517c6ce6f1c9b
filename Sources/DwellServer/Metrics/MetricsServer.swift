import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle

/// Shows metrics on an address of their own, away from where people come in: they are for who runs the server.
struct MetricsServer: Service {
    /// Where it listens.
    struct Address: Sendable, Equatable {
        let host: String
        let port: Int

        /// - Parameter text: Such as `127.0.0.1:9464` or `[::1]:9464`; `nil` comes back for anything else
        init?(_ text: String) {
            guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
                (1...65_535).contains(port)
            else { return nil }
            let host = text[..<colon]
            let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
            let name = isBracketed ? host.dropFirst().dropLast() : host
            guard !name.isEmpty, isBracketed || !name.contains(where: { ":/ []".contains($0) }) else { return nil }
            self.host = String(name)
            self.port = port
        }
    }

    private let address: Address
    private let application: Application<RouterResponder<BasicRequestContext>>

    /// - Parameters:
    ///   - address: Where it listens
    ///   - text: All metrics, as Prometheus reads them
    ///   - logger: For the server
    init(_ address: Address, logger: Logger, text: @escaping @Sendable () async -> String) {
        self.address = address
        let router = Router()
        router.get("/metrics") { _, _ in
            Response(
                status: .ok, headers: [.contentType: PrometheusText.mediaType, .cacheControl: "no-store"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: await text())))
        }
        application = Application(
            router: router,
            configuration: ApplicationConfiguration(address: .hostname(address.host, port: address.port)),
            logger: logger)
    }

    func run() async throws {
        do {
            try await application.run()
        } catch is IOError {
            throw Setting.metricsAddress.refusal(
                expected: "an address of this machine and a free port", not: "\(address.host):\(address.port)")
        } catch is SocketAddressError {
            throw Setting.metricsAddress.refusal(expected: "an address of this machine", not: address.host)
        }
    }
}
