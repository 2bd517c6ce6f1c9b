import HTTPTypes

extension DeviceDescription {
    /// Names the device that sent a request.
    /// - Parameters:
    ///   - headers: The request's
    ///   - rules: The rules to understand the User-Agent by
    init(headers: HTTPFields, rules: UserAgentRules) {
        let hints = ClientHints(
            brands: headers[.secCHUA], fullVersionList: headers[.secCHUAFullVersionList],
            platform: headers[.secCHUAPlatform], platformVersion: headers[.secCHUAPlatformVersion],
            model: headers[.secCHUAModel])
        self.init(userAgent: headers[.userAgent], hints: hints, rules: rules)
    }
}
