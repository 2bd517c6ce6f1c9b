/// Tells whether a login comes from a device that its account has not had before.
package enum NewDevice {
    /// Whether a device is like none of those before it. An account without any has just been made: its first is no news.
    /// - Parameters:
    ///   - name: What the device is called, such as `Firefox 128.0 on Linux`
    ///   - known: What those before were called
    package static func isNew(_ name: String, among known: [String]) -> Bool {
        !known.isEmpty && !known.contains { kind(of: $0) == kind(of: name) }
    }

    /// The name without versions: a browser that was updated is no new one.
    private static func kind(of name: String) -> String {
        name.filter { !$0.isNumber && $0 != "." }
    }
}
