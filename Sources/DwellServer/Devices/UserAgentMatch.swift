/// What uap-core's rules say of one User-Agent: the three objects of the section "Parser Output" in uap-core's
/// `docs/specification.md`.
package struct UserAgentMatch: Sendable, Equatable {
    /// The family that uap-core's specification gives to whatever no rule matches.
    package static let unknownFamily = "Other"

    /// A browser or an operating system, with its version.
    package struct Product: Sendable, Equatable {
        /// The name, such as `Chrome Mobile` or `Mac OS X`; ``UserAgentMatch/unknownFamily`` when no rule matched.
        package let family: String
        /// The parts of the version as uap-core's rules give them, from the most to the least significant: major,
        /// minor, patch and, for operating systems, patchMinor. A part that is missing is nil; parts need not be
        /// numbers (`1pre`).
        package let parts: [String?]
        /// The whole version as the User-Agent spells it, such as `112.0.0.0`, though the rules stop at three parts;
        /// nil when it has none.
        package let version: String?
    }

    /// The thing that the browser runs on.
    package struct Device: Sendable, Equatable {
        /// The name, such as `Samsung SM-S901B`; ``UserAgentMatch/unknownFamily`` when no rule matched.
        package let family: String
        /// The maker, such as `Samsung`; nil when not known.
        package let brand: String?
        /// The maker's name for it, such as `SM-S901B`; nil when not known.
        package let model: String?
    }

    /// The browser, from the list `user_agent_parsers`.
    package let browser: Product
    /// The operating system, from the list `os_parsers`.
    package let system: Product
    /// The device, from the list `device_parsers`.
    package let device: Device
}
