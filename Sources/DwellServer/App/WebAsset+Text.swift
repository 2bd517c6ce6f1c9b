import Foundation
package import WebAssets

extension WebAsset {
    package static var script: WebAsset { web_asset_dwell_js() }
    package static var scriptTypes: WebAsset { web_asset_dwell_types() }
    package static var style: WebAsset { web_asset_dwell_css() }
    package static var gatePage: WebAsset { web_asset_gate_page() }
    package static var errorPage: WebAsset { web_asset_error_page() }
    package static var accountPage: WebAsset { web_asset_account_page() }
    package static var codeScript: WebAsset { web_asset_code_script() }
    package static var letterText: WebAsset { web_asset_letter_text() }
    package static var letterPage: WebAsset { web_asset_letter_page() }
    package static var commonPasswords: WebAsset { web_asset_common_passwords() }
    package static var deviceRules: WebAsset { web_asset_uap_rules() }

    /// The file without the lines that hold only a comment, and without indentation: pages load the script, not its
    /// reasons. No text in it may go over several lines.
    package var withoutComments: String {
        text.split(separator: "\n", omittingEmptySubsequences: true)
            .map { $0.drop(while: \.isWhitespace) }.filter { !$0.hasPrefix("//") }
            .map { $0 + "\n" }.joined()
    }

    /// The file as text.
    package var text: String {
        String(decoding: UnsafeBufferPointer(start: bytes, count: length), as: UTF8.self)
    }
}
