/// How a device is named to the person who owns it, made from what its browser says of itself. Client hints win over
/// the User-Agent, most of which browsers have frozen: there, each new Android is 10, each new Windows is 10, each new
/// macOS is 10.15.7, and each phone is a `K`.
package struct DeviceDescription: Sendable, Equatable {
    /// The most Unicode scalars that ``name`` and ``os`` have.
    package static let lengthLimit = 200

    /// The browser, the device and the operating system, such as `Chrome Mobile 112.0.0.0 on SM-S901B (Android 13)`.
    /// What is not known is left away: `Chrome 112.0.0.0 on Windows 10`, `curl 8.1`, `Unknown browser`.
    package let name: String
    /// The operating system, such as `Android 13`, or `Unknown`.
    package let os: String

    /// Names a device.
    /// - Parameters:
    ///   - userAgent: The request header `User-Agent`; nil when there is none
    ///   - hints: The request's client hints
    ///   - rules: The rules to understand the User-Agent by
    package init(userAgent: String?, hints: ClientHints, rules: UserAgentRules) {
        let match = rules.match(userAgent ?? "")
        let system = SystemName.name(match.system, hints)
        let place =
            switch (Self.device(match.device, hints), system) {
            case (let device?, let system?): " on \(device) (\(system))"
            case (let device?, nil): " on \(device)"
            case (nil, let system?): " on \(system)"
            case (nil, nil): ""
            }
        name = DisplayText.cut(BrowserName.name(match.browser, hints) + place, to: Self.lengthLimit)
        os = DisplayText.cut(system ?? "Unknown", to: Self.lengthLimit)
    }

    /// The device's name, or nil where it would tell a person nothing: on a computer, and for uap-core's stopgaps.
    private static func device(_ device: UserAgentMatch.Device, _ hints: ClientHints) -> String? {
        if let model = hints.model { return model }
        let stopgapFamilies = [UserAgentMatch.unknownFamily, "Mac", "K"]
        let stopgapBrands = ["Generic", "Spider"]
        if stopgapFamilies.contains(device.family) || stopgapBrands.contains(device.brand ?? "") { return nil }
        // A model is what people read on the box (`SM-S901B`), but for bare numbers, where `Nokia 3310` is, and for
        // Apple, whose models are internal (`iPhone14,2`).
        let model = DisplayText.clean(device.model)
        if let model, device.brand != "Apple", model.contains(where: \.isLetter) { return model }
        return DisplayText.clean(device.family)
    }
}

/// Names browsers.
private enum BrowserName {
    /// The browser's family and whole version, such as `Chrome Mobile 112.0.5615.48`.
    static func name(_ browser: UserAgentMatch.Product, _ hints: ClientHints) -> String {
        let family = DisplayText.clean(browser.family)
        guard let family, family != UserAgentMatch.unknownFamily else { return brandName(hints) }
        let version = fullVersion(of: family, major: browser.parts.first ?? nil, hints)
        return joined(family, version ?? DisplayText.clean(browser.version))
    }

    /// The brand that hints name, where the User-Agent says nothing. Chromium comes last: each browser that is made
    /// from it names it as well.
    private static func brandName(_ hints: ClientHints) -> String {
        let brands = hints.fullVersions.isEmpty ? hints.brands : hints.fullVersions
        guard let brand = brands.first(where: { $0.name != "Chromium" }) ?? brands.first else {
            return "Unknown browser"
        }
        return joined(brand.name, brand.version)
    }

    /// The version of the brand that is the browser itself: one that has a word in common with uap-core's name for it
    /// (`Google Chrome` and `Chrome Mobile`). A browser that hides behind Chrome's name has Chromium's version.
    private static func fullVersion(of family: String, major: String?, _ hints: ClientHints) -> String? {
        let familyWords = words(family)
        if let brand = hints.fullVersions.first(where: { !words($0.name).isDisjoint(with: familyWords) }) {
            return brand.version
        }
        guard let major, familyWords.contains("chrome") else { return nil }
        let chromium = hints.fullVersions.first { $0.name == "Chromium" }?.version
        return chromium?.split(separator: ".").first.map(String.init) == major ? chromium : nil
    }

    private static func words(_ name: String) -> Set<String> {
        Set(name.lowercased().split(separator: " ").map(String.init)).subtracting(["browser", "mobile"])
    }

    private static func joined(_ name: String, _ version: String?) -> String {
        version.map { "\(name) \($0)" } ?? name
    }
}

/// Names operating systems.
private enum SystemName {
    /// The system's family and version, such as `Android 13`; nil when nothing is known.
    static func name(_ system: UserAgentMatch.Product, _ hints: ClientHints) -> String? {
        let family = system.family == UserAgentMatch.unknownFamily ? nil : DisplayText.clean(system.family)
        let told = family.map { family in
            DisplayText.clean(system.version).map { "\(family) \($0)" } ?? family
        }
        guard let platform = hints.platform, platform.lowercased() != "unknown" else { return told }
        if let hinted = name(of: platform, hints.platformVersion) { return hinted }
        guard let family, isSame(family, platform) else { return platform }
        return told
    }

    /// The platform with its version; nil when hints don't tell the version.
    private static func name(of platform: String, _ version: String?) -> String? {
        guard let version else { return nil }
        switch platform.lowercased() {
        case "windows": return windowsRelease(version).map { "Windows \($0)" }
        case "linux": return nil  // The version is that of the kernel, and the User-Agent may name the distribution.
        default:
            var numbers = version.split(separator: ".")
            while numbers.count > 1, numbers.last?.allSatisfy({ $0 == "0" }) == true { numbers.removeLast() }
            return "\(platform) \(numbers.joined(separator: "."))"
        }
    }

    /// Windows gives a version of its own for hints, not that of the release. The values are those of Microsoft's page
    /// "Detect Windows 11 and CPU architecture using User-Agent Client Hints"; of others the User-Agent knows more.
    private static func windowsRelease(_ version: String) -> String? {
        switch version.split(separator: ".").first.flatMap({ Int($0) }) ?? 0 {
        case 13...: "11"
        case 1...10: "10"
        default: nil
        }
    }

    /// Whether uap-core's family and the hints' platform are the same system. uap-core names distributions of Linux,
    /// which hints don't, so each family that is none of the others is taken for Linux.
    private static func isSame(_ family: String, _ platform: String) -> Bool {
        let platforms = [
            "Windows": ["windows"], "Mac OS X": ["macos"], "Android": ["android"], "iOS": ["ios"],
            "Chrome OS": ["chrome os", "chromium os"],
        ]
        return platforms[family, default: ["linux"]].contains(platform.lowercased())
    }
}
