import Testing

@testable import DwellServer

/// What is read from client hints, and how they win over the User-Agent.
@Suite struct ClientHintsTests {
    private let rules: UserAgentRules
    private let android = userAgent("Linux; Android 10; K", "Chrome/112.0.0.0 Mobile")
    private let windows = userAgent("Windows NT 10.0; Win64; x64", "Chrome/112.0.0.0")
    private let mac = userAgent("Macintosh; Intel Mac OS X 10_15_7", "Chrome/112.0.0.0")
    private let linux = userAgent("X11; Linux x86_64", "Chrome/112.0.0.0")
    private let chromeVersions =
        #""Chromium";v="112.0.5615.48", "Google Chrome";v="112.0.5615.49", "Not:A-Brand";v="99.0.0.0""#

    init() throws {
        rules = try SharedRules.embedded.get()
    }

    private static func userAgent(_ system: String, _ browser: String) -> String {
        "Mozilla/5.0 (\(system)) AppleWebKit/537.36 (KHTML, like Gecko) \(browser) Safari/537.36"
    }

    private func describe(_ userAgent: String?, _ hints: ClientHints) -> DeviceDescription {
        DeviceDescription(userAgent: userAgent, hints: hints, rules: rules)
    }

    @Test func readsHeaders() {
        let hints = ClientHints(
            brands: #""Chromium";v="112", "Google Chrome";v="112", "Not:A-Brand";v="99""#,
            fullVersionList: chromeVersions, platform: #""Android""#, platformVersion: #""13.0.0""#,
            model: #""SM-S901B""#)
        #expect(hints.brands.map(\.name) == ["Chromium", "Google Chrome"])
        #expect(hints.brands.map(\.version) == ["112", "112"])
        #expect(hints.fullVersions.map(\.version) == ["112.0.5615.48", "112.0.5615.49"])
        #expect(hints.platform == "Android")
        #expect(hints.platformVersion == "13.0.0")
        #expect(hints.model == "SM-S901B")
    }

    @Test(arguments: [
        "Not:A-Brand", "Not A;Brand", "Not/A)Brand", "Not.A/Brand", "Not_A Brand", "(Not(A:Brand", ";Not A Brand",
        "Not?A_Brand", " Not A;Brand",
    ])
    func ignoresGrease(_ brand: String) {
        #expect(ClientHints(brands: "\"\(brand)\";v=\"99\", \"Opera\";v=\"98\"").brands.map(\.name) == ["Opera"])
    }

    @Test func readsEscapes() {
        let hints = ClientHints(brands: #""a\"b\\c, d;v";v="1", "e" ; v="2""#)
        #expect(hints.brands.isEmpty, "RFC 9651 has no space before a semicolon")
        #expect(ClientHints(brands: #""a\"b\\c, d;v"; v="1","e";x;v="2""#).brands.map(\.name) == [#"a"b\c, d;v"#, "e"])
    }

    @Test(arguments: [
        "", " ", "\"", "\"\\", "\"a", "\"a\";", "\"a\";v=", "\"a\";v=\"1\",", "a\"b\"", "\"a\" \"b\"", "?0", "12", "()",
        "(\"a\" \"b\")", "token", ":YQ==:", "\u{0}", "\"\u{0}\"", "\"é\"", "\"\"", "\"<>\"", "\"a\"\r\nSet-Cookie: b",
        "\"" + String(repeating: "a", count: 1024) + "\"",
    ])
    func ignoresWhatIsNoText(_ header: String) {
        let hints = ClientHints(
            brands: header, fullVersionList: header, platform: header, platformVersion: header, model: header)
        #expect(hints == ClientHints())
    }

    @Test(arguments: ["112.", ".", "1..2", "a", "1.a", "-1", "1 2", "٣.1", "123456789", "<b>"])
    func ignoresBadVersions(_ version: String) {
        let list = "\"Google Chrome\";v=\"\(version)\""
        let hints = ClientHints(
            fullVersionList: list, platform: #""Android""#, platformVersion: "\"\(version)\"")
        let device = describe(android, hints)
        #expect(device.name == "Chrome Mobile 112.0.0.0 on Android 10")
    }

    @Test func modelAndVersionsWin() {
        let hints = ClientHints(
            fullVersionList: chromeVersions, platform: #""Android""#, platformVersion: #""13.0.0""#,
            model: #""SM-S901B""#)
        let device = describe(android, hints)
        #expect(device.name == "Chrome Mobile 112.0.5615.49 on SM-S901B (Android 13)")
        #expect(device.os == "Android 13")
    }

    @Test func modelAloneWins() {
        let device = describe(android, ClientHints(model: #""Pixel 7""#))
        #expect(device.name == "Chrome Mobile 112.0.0.0 on Pixel 7 (Android 10)")
    }

    @Test(arguments: [
        ("15.0.0", "Windows 11"), ("13.0.0", "Windows 11"), ("10.0.0", "Windows 10"), ("1.0.0", "Windows 10"),
        ("0.0.0", "Windows 10"), ("11.0.0", "Windows 10"), ("", "Windows 10"),
    ])
    func namesWindows(_ version: String, _ os: String) {
        let hints = ClientHints(platform: #""Windows""#, platformVersion: "\"\(version)\"", model: #""""#)
        let device = describe(windows, hints)
        #expect(device.name == "Chrome 112.0.0.0 on \(os)")
        #expect(device.os == os)
    }

    @Test func namesMac() {
        let hints = ClientHints(
            fullVersionList: chromeVersions, platform: #""macOS""#, platformVersion: #""13.4.1""#, model: #""""#)
        #expect(describe(mac, hints).name == "Chrome 112.0.5615.49 on macOS 13.4.1")
        #expect(describe(mac, ClientHints(platform: #""macOS""#)).os == "Mac OS X 10.15.7")
    }

    @Test func keepsLinuxDistribution() {
        let hints = ClientHints(platform: #""Linux""#, platformVersion: #""6.2.0""#)
        #expect(describe(linux, hints).os == "Linux")
        let ubuntu = "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/118.0"
        #expect(describe(ubuntu, hints).os == "Ubuntu")
    }

    @Test func platformWinsOverAnotherSystem() {
        #expect(describe(linux, ClientHints(platform: #""Android""#)).os == "Android")
        #expect(describe(windows, ClientHints(platform: #""Linux""#)).os == "Linux")
        #expect(describe(windows, ClientHints(platform: #""Unknown""#)).os == "Windows 10")
    }

    @Test func takesVersionOfTheRightBrand() {
        let edge = Self.userAgent("Windows NT 10.0", "Chrome/112.0.0.0") + " Edg/112.0.0.0"
        let versions = #""Chromium";v="112.0.5615.48", "Microsoft Edge";v="112.0.1722.34", "Not:A-Brand";v="99.0.0.0""#
        #expect(describe(edge, ClientHints(fullVersionList: versions)).name == "Edge 112.0.1722.34 on Windows 10")
        let onlyChromium = ClientHints(fullVersionList: #""Chromium";v="112.0.5615.48", "Not:A-Brand";v="99""#)
        #expect(describe(edge, onlyChromium).name == "Edge 112.0.0.0 on Windows 10")
        #expect(describe(windows, onlyChromium).name == "Chrome 112.0.5615.48 on Windows 10")
        let newer = ClientHints(fullVersionList: #""Chromium";v="113.0.5615.48""#)
        #expect(describe(windows, newer).name == "Chrome 112.0.0.0 on Windows 10")
    }

    @Test func majorVersionsDoNotReplaceWholeOnes() {
        let hints = ClientHints(brands: #""Chromium";v="112", "Google Chrome";v="112""#)
        #expect(describe(windows, hints).name == "Chrome 112.0.0.0 on Windows 10")
    }

    @Test func namesByHintsAlone() {
        let hints = ClientHints(
            fullVersionList: chromeVersions, platform: #""Windows""#, platformVersion: #""13.0.0""#)
        #expect(describe(nil, hints).name == "Google Chrome 112.0.5615.49 on Windows 11")
        let brands = ClientHints(brands: #""Chromium";v="112", "Not:A-Brand";v="99""#)
        #expect(describe(nil, brands).name == "Chromium 112")
    }
}
