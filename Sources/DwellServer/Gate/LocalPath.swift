import Foundation

/// A path on this very site: what a redirect may lead to.
package enum LocalPath {
    /// Checks where a visitor wants to go.
    /// - Returns: The path, unchanged
    /// - Throws: ``InvalidField`` named `next` for anything that a browser could take for another site
    package static func check(_ path: String) throws(InvalidField) -> String {
        // Browsers read `\` as `/` and drop tabs and line breaks, so `/\evil` and `/<tab>/evil` are other hosts.
        let isPlain = path.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }
        guard isPlain, path.utf8.count <= 2048, path.hasPrefix("/"), !path.hasPrefix("//") else {
            throw InvalidField("next", expected: "a path on this site, such as /confidential/")
        }
        return path
    }
}
