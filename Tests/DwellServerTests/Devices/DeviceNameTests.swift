import Testing

@testable import DwellServer

/// How devices are named by their User-Agent alone.
@Suite struct DeviceNameTests {
    private let rules: UserAgentRules

    init() throws {
        rules = try SharedRules.embedded.get()
    }

    /// A User-Agent and the names expected for it.
    struct Example: Sendable, CustomTestStringConvertible {
        let userAgent: String?
        let name: String
        let os: String

        var testDescription: String { name }

        /// - Parameters:
        ///   - userAgent: The header's value
        ///   - name: The name that is expected
        ///   - os: The operating system that is expected
        init(_ userAgent: String?, _ name: String, _ os: String) {
            self.userAgent = userAgent
            self.name = name
            self.os = os
        }
    }

    static let phones = [
        Example(
            "Mozilla/5.0 (Linux; Android 13; SM-S901B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/112.0.0.0 Mobile "
                + "Safari/537.36",
            "Chrome Mobile 112.0.0.0 on SM-S901B (Android 13)", "Android 13"),
        Example(
            "Mozilla/5.0 (Linux; Android 13; Pixel 7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/112.0.5615.48 "
                + "Mobile Safari/537.36",
            "Chrome Mobile 112.0.5615.48 on Pixel 7 (Android 13)", "Android 13"),
        Example(
            "Mozilla/5.0 (iPhone; CPU iPhone OS 16_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
                + "Version/16.4 Mobile/15E148 Safari/604.1",
            "Mobile Safari 16.4 on iPhone (iOS 16.4)", "iOS 16.4"),
        Example(
            "Mozilla/5.0 (iPad; CPU OS 16_4_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.4 "
                + "Mobile/15E148 Safari/604.1",
            "Mobile Safari 16.4 on iPad (iOS 16.4.1)", "iOS 16.4.1"),
        Example(
            "Mozilla/5.0 (iPhone; CPU iPhone OS 16_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
                + "CriOS/112.0.5615.46 Mobile/15E148 Safari/604.1",
            "Chrome Mobile iOS 112.0.5615.46 on iPhone (iOS 16.4)", "iOS 16.4"),
        Example(
            "Mozilla/5.0 (iPhone; CPU iPhone OS 5_1_1 like Mac OS X) AppleWebKit/534.46 (KHTML, like Gecko) "
                + "Mobile/9B206 [FBAN/FBIOS;FBAV/5.2.2;FBBV/43762;FBDV/iPhone3,3;FBMD/iPhone;FBSN/iPhone OS]",
            "Facebook 5.2.2 on iPhone (iOS 5.1.1)", "iOS 5.1.1"),
        // The frozen User-Agent: what it calls `K` is any phone.
        Example(
            "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/112.0.0.0 Mobile "
                + "Safari/537.36",
            "Chrome Mobile 112.0.0.0 on Android 10", "Android 10"),
        // uap-core knows such a phone as "Generic Smartphone" only.
        Example(
            "Mozilla/5.0 (Android 13; Mobile; rv:109.0) Gecko/118.0 Firefox/118.0",
            "Firefox Mobile 118.0 on Android 13", "Android 13"),
        Example(
            "Nokia3310/1.0 (05.11) Profile/MIDP-2.0 Configuration/CLDC-1.1",
            "Nokia Services (WAP) Browser on Nokia 3310", "Unknown"),
    ]

    static let computers = [
        Example(
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/112.0.0.0 "
                + "Safari/537.36",
            "Chrome 112.0.0.0 on Windows 10", "Windows 10"),
        Example(
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/112.0.0.0 "
                + "Safari/537.36 Edg/112.0.1722.48",
            "Edge 112.0.1722.48 on Windows 10", "Windows 10"),
        Example(
            "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/118.0",
            "Firefox 118.0 on Ubuntu", "Ubuntu"),
        Example(
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.4 "
                + "Safari/605.1.15",
            "Safari 16.4 on Mac OS X 10.15.7", "Mac OS X 10.15.7"),
        Example(
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/112.0.0.0 "
                + "Safari/537.36",
            "Chrome 112.0.0.0 on Mac OS X 10.15.7", "Mac OS X 10.15.7"),
        Example(
            "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/112.0.0.0 "
                + "Safari/537.36",
            "Chrome 112.0.0.0 on Chrome OS 14541.0.0", "Chrome OS 14541.0.0"),
        Example(
            "Mozilla/5.0 (Windows NT 6.1; rv:52.0) Gecko/20100101 Firefox/52.0", "Firefox 52.0 on Windows 7",
            "Windows 7"),
    ]

    static let others = [
        Example("curl/8.1", "curl 8.1", "Unknown"),
        Example("curl/8.1.2", "curl 8.1.2", "Unknown"),
        Example(
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "Googlebot 2.1", "Unknown"),
        Example("who knows", "Unknown browser", "Unknown"),
        Example(
            "who knows (Windows NT 10.0; Win64; x64)", "Unknown browser on Windows 10", "Windows 10"),
        Example("", "Unknown browser", "Unknown"),
        Example(nil, "Unknown browser", "Unknown"),
    ]

    @Test(arguments: phones + computers + others)
    func namesDevice(_ example: Example) {
        let device = DeviceDescription(userAgent: example.userAgent, hints: ClientHints(), rules: rules)
        #expect(device.name == example.name)
        #expect(device.os == example.os)
    }
}
