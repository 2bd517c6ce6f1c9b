/// A browser of the demo.
struct DemoDevice: Sendable {
    let userAgent: String
    var hints = ClientHints()

    /// What people have, the most frequent first.
    static let all: [DemoDevice] = [
        DemoDevice(
            userAgent: chrome(on: "Windows NT 10.0; Win64; x64", "142.0.0.0"), hints: hints("Windows", "15.0.0")),
        DemoDevice(userAgent: safari(on: "iPhone; CPU iPhone OS 18_7 like Mac OS X", "26.1 Mobile/15E148")),
        DemoDevice(
            userAgent: chrome(on: "Linux; Android 10; K", "142.0.0.0 Mobile"),
            hints: hints("Android", "16.0.0", model: "Pixel 9")),
        DemoDevice(userAgent: safari(on: "Macintosh; Intel Mac OS X 10_15_7", "26.1")),
        DemoDevice(
            userAgent: chrome(on: "Macintosh; Intel Mac OS X 10_15_7", "142.0.0.0"), hints: hints("macOS", "15.6.0")),
        DemoDevice(userAgent: firefox(on: "Windows NT 10.0; Win64; x64", "145.0")),
        DemoDevice(
            userAgent: chrome(on: "Linux; Android 10; K", "141.0.0.0 Mobile"),
            hints: hints("Android", "15.0.0", model: "SM-S921B")),
        DemoDevice(userAgent: safari(on: "iPad; CPU OS 18_6 like Mac OS X", "18.6 Mobile/15E148")),
        DemoDevice(userAgent: firefox(on: "X11; Linux x86_64", "145.0")),
        DemoDevice(
            userAgent: chrome(on: "Windows NT 10.0; Win64; x64", "142.0.0.0") + " Edg/142.0.0.0",
            hints: hints("Windows", "10.0.0", brand: "Microsoft Edge")),
    ]

    /// How many have each.
    static let weights: [Double] = [26, 22, 14, 10, 8, 6, 6, 4, 2, 5]

    private static func chrome(on system: String, _ version: String) -> String {
        "Mozilla/5.0 (\(system)) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/\(version) Safari/537.36"
    }

    private static func safari(on system: String, _ version: String) -> String {
        "Mozilla/5.0 (\(system)) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/\(version) Safari/604.1"
    }

    private static func firefox(on system: String, _ version: String) -> String {
        "Mozilla/5.0 (\(system); rv:\(version)) Gecko/20100101 Firefox/\(version)"
    }

    private static func hints(
        _ platform: String, _ version: String, model: String = "", brand: String = "Google Chrome"
    ) -> ClientHints {
        ClientHints(
            brands: #""Chromium";v="142", "\#(brand)";v="142", "Not_A Brand";v="99""#, platform: #""\#(platform)""#,
            platformVersion: #""\#(version)""#, model: #""\#(model)""#)
    }
}
