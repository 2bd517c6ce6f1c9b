import Foundation
package import WebAssets

extension WebAsset {
    package static var script: WebAsset { web_asset_dwell_js() }
    package static var style: WebAsset { web_asset_dwell_css() }
    package static var gatePage: WebAsset { web_asset_gate_page() }
    package static var errorPage: WebAsset { web_asset_error_page() }
    package static var deviceRules: WebAsset { web_asset_uap_rules() }

    /// The file as text.
    package var text: String {
        String(decoding: UnsafeBufferPointer(start: bytes, count: length), as: UTF8.self)
    }
}
