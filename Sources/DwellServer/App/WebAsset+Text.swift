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
    package static var dashboardLayout: WebAsset { web_asset_dashboard_layout() }
    package static var dashboardDoor: WebAsset { web_asset_dashboard_door() }
    package static var dashboardNow: WebAsset { web_asset_dashboard_now() }
    package static var dashboardPeople: WebAsset { web_asset_dashboard_people() }
    package static var dashboardChart: WebAsset { web_asset_dashboard_chart() }
    package static var dashboardList: WebAsset { web_asset_dashboard_list() }
    package static var dashboardRanks: WebAsset { web_asset_dashboard_ranks() }
    package static var dashboardOverview: WebAsset { web_asset_dashboard_overview() }
    package static var dashboardSessions: WebAsset { web_asset_dashboard_sessions() }
    package static var dashboardEvidence: WebAsset { web_asset_dashboard_evidence() }
    package static var dashboardPerson: WebAsset { web_asset_dashboard_person() }
    package static var dashboardVideos: WebAsset { web_asset_dashboard_videos() }
    package static var dashboardAudience: WebAsset { web_asset_dashboard_audience() }
    package static var dashboardProgress: WebAsset { web_asset_dashboard_progress() }
    package static var dashboardSettings: WebAsset { web_asset_dashboard_settings() }
    package static var dashboardDevices: WebAsset { web_asset_dashboard_devices() }
    package static var dashboardWebhooks: WebAsset { web_asset_dashboard_webhooks() }
    package static var dashboardRights: WebAsset { web_asset_dashboard_rights() }
    package static var dashboardReceipts: WebAsset { web_asset_dashboard_receipts() }
    package static var dashboardAudit: WebAsset { web_asset_dashboard_audit() }
    package static var dashboardViewers: WebAsset { web_asset_dashboard_viewers() }
    package static var dashboardDay: WebAsset { web_asset_dashboard_day() }
    package static var dashboardGates: WebAsset { web_asset_dashboard_gates() }
    package static var dashboardGate: WebAsset { web_asset_dashboard_gate() }
    package static var dashboardFailure: WebAsset { web_asset_dashboard_failure() }
    package static var dashboardLiveScript: WebAsset { web_asset_dashboard_live_script() }
    package static var dashboardSetupScript: WebAsset { web_asset_dashboard_setup_script() }
    package static var dashboardStyle: WebAsset { web_asset_dashboard_style() }
    package static var dashboardIcon: WebAsset { web_asset_dashboard_icon() }
    package static var openAPI: WebAsset { web_asset_openapi() }
    package static var openAPIPage: WebAsset { web_asset_openapi_page() }
    package static var openAPIStyle: WebAsset { web_asset_openapi_style() }
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
