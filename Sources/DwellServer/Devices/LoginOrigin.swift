package import DwellAPI

/// Where a login comes from.
package struct LoginOrigin: Sendable {
    /// What the browser says of itself.
    package let description: DeviceDescription
    package var address: ClientAddress?
    /// What the browser's cookie says that it is recognised by.
    package var browser: RandomSecret?
    /// The login whose token came with the request, whoever's; it ends.
    package var presented: Login?

    package init(
        description: DeviceDescription, address: ClientAddress? = nil, browser: RandomSecret? = nil,
        presented: Login? = nil
    ) {
        self.description = description
        self.address = address
        self.browser = browser
        self.presented = presented
    }
}

/// A person who was let in.
package struct Admission: Sendable {
    package let user: RegisteredUser
    package let device: Device
    /// What the browser is recognised by from now on.
    package let browser: RandomSecret
}
