import RawStructuredFieldValues

/// What a browser says of itself in User-Agent Client Hints (https://wicg.github.io/ua-client-hints/), read from
/// request headers. A header that is not a structured field of the right type (RFC 9651) is ignored, as that RFC
/// demands.
package struct ClientHints: Sendable, Equatable {
    /// How many bytes of one header are read; a longer one is ignored. Real ones are a tenth of that.
    package static let lengthLimit = 1024

    /// One of the names that a browser goes by.
    package struct Brand: Sendable, Equatable {
        /// The name, such as `Google Chrome`.
        package let name: String
        /// The version, one to many numbers with dots between: `112` or `112.0.5615.48`; nil when it is nothing like
        /// that.
        package let version: String?
    }

    /// The brands of `Sec-CH-UA`, whose versions are major versions only. GREASE is left out.
    package let brands: [Brand]
    /// The brands of `Sec-CH-UA-Full-Version-List`, with whole versions. GREASE is left out.
    package let fullVersions: [Brand]
    /// `Sec-CH-UA-Platform`, such as `Windows` or `macOS`.
    package let platform: String?
    /// `Sec-CH-UA-Platform-Version`, numbers with dots between, such as `13.0.0`. On Windows it is not the number
    /// of the release: 1 to 10 stand for Windows 10, 13 and above for Windows 11.
    package let platformVersion: String?
    /// `Sec-CH-UA-Model`, such as `SM-S901B`; nil on desktops, where browsers send an empty text.
    package let model: String?

    /// Reads hints. Each parameter is the value of a request header as it came, nil when the request had none.
    /// - Parameters:
    ///   - brands: `Sec-CH-UA`
    ///   - fullVersionList: `Sec-CH-UA-Full-Version-List`
    ///   - platform: `Sec-CH-UA-Platform`
    ///   - platformVersion: `Sec-CH-UA-Platform-Version`
    ///   - model: `Sec-CH-UA-Model`
    package init(
        brands: String? = nil, fullVersionList: String? = nil, platform: String? = nil,
        platformVersion: String? = nil, model: String? = nil
    ) {
        self.brands = Self.brands(brands)
        self.fullVersions = Self.brands(fullVersionList)
        self.platform = Self.text(platform)
        self.platformVersion = Self.text(platformVersion).flatMap(Self.version)
        self.model = Self.text(model)
    }

    private static func brands(_ header: String?) -> [Brand] {
        guard var parser = parser(header), let members = try? parser.parseListFieldValue() else { return [] }
        return members.compactMap { member in
            guard case .item(let item) = member, case .string(let quoted) = item.rfc9651BareItem else { return nil }
            guard let name = DisplayText.clean(quoted), !isGrease(name) else { return nil }
            guard case .string(let text) = item.rfc9651Parameters["v"] else { return Brand(name: name, version: nil) }
            return Brand(name: name, version: version(text))
        }
    }

    private static func text(_ header: String?) -> String? {
        guard var parser = parser(header), let item = try? parser.parseItemFieldValue() else { return nil }
        guard case .string(let quoted) = item.rfc9651BareItem else { return nil }
        return DisplayText.clean(quoted)
    }

    private static func parser(_ header: String?) -> StructuredFieldValueParser<[UInt8]>? {
        guard let header, header.utf8.count <= lengthLimit else { return nil }
        return StructuredFieldValueParser(Array(header.utf8))
    }

    private static func version(_ text: String) -> String? {
        let numbers = text.split(separator: ".", omittingEmptySubsequences: false)
        let sound = numbers.allSatisfy { number in
            (1...8).contains(number.count) && number.allSatisfy { $0.isASCII && $0.isNumber }
        }
        return sound ? text : nil
    }

    /// GREASE is a brand that means nothing, sent so that servers get used to unknown ones. Chromium makes it from
    /// "Not", "A" and "Brand" with changing punctuation: `Not:A-Brand`, `Not/A)Brand`, `;Not A Brand`.
    private static func isGrease(_ name: String) -> Bool {
        name.filter(\.isLetter).lowercased() == "notabrand"
    }
}
