import HTTPTypes

/// Header names that the HTTP types library does not have.
extension HTTPField.Name {
    static let acceptClientHints = name("Accept-CH")
    static let forwardedFor = name("X-Forwarded-For")
    static let forwardedHost = name("X-Forwarded-Host")
    static let forwardedURI = name("X-Forwarded-Uri")
    static let originalURI = name("X-Original-URI")
    static let rateLimit = name("RateLimit")
    static let rateLimitPolicy = name("RateLimit-Policy")
    static let referrerPolicy = name("Referrer-Policy")
    static let remoteEmail = name("Remote-Email")
    static let remoteIdentity = name("Remote-Identity")
    static let secCHUA = name("Sec-CH-UA")
    static let secCHUAFullVersionList = name("Sec-CH-UA-Full-Version-List")
    static let secCHUAModel = name("Sec-CH-UA-Model")
    static let secCHUAPlatform = name("Sec-CH-UA-Platform")
    static let secCHUAPlatformVersion = name("Sec-CH-UA-Platform-Version")
    static let secFetchSite = name("Sec-Fetch-Site")

    static func name(_ text: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(text) else { preconditionFailure("not a header name: \(text)") }
        return name
    }
}
