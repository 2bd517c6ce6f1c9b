#pragma once

#include <stddef.h>

/// A file that is part of the program.
struct WebAsset {
    const unsigned char *bytes;
    size_t length;
};

/// The heartbeat script, served as /dwell.js.
struct WebAsset web_asset_dwell_js(void);
/// The types of the script's interface, served as /dwell.d.ts.
struct WebAsset web_asset_dwell_types(void);
/// The style of the server's own pages, served as /dwell.css.
struct WebAsset web_asset_dwell_css(void);
/// The template of the page that asks for an email.
struct WebAsset web_asset_gate_page(void);
/// The template of the page for errors.
struct WebAsset web_asset_error_page(void);
/// The template of the pages about an account.
struct WebAsset web_asset_account_page(void);
/// The script of those that ask for a code, served as /dwell-code.js.
struct WebAsset web_asset_code_script(void);
/// The dashboard's templates: what is around its pages, what they share, and the pages.
struct WebAsset web_asset_dashboard_layout(void);
struct WebAsset web_asset_dashboard_door(void);
struct WebAsset web_asset_dashboard_now(void);
struct WebAsset web_asset_dashboard_people(void);
struct WebAsset web_asset_dashboard_chart(void);
struct WebAsset web_asset_dashboard_list(void);
struct WebAsset web_asset_dashboard_ranks(void);
struct WebAsset web_asset_dashboard_overview(void);
struct WebAsset web_asset_dashboard_sessions(void);
struct WebAsset web_asset_dashboard_evidence(void);
struct WebAsset web_asset_dashboard_person(void);
struct WebAsset web_asset_dashboard_videos(void);
struct WebAsset web_asset_dashboard_audience(void);
struct WebAsset web_asset_dashboard_progress(void);
struct WebAsset web_asset_dashboard_settings(void);
struct WebAsset web_asset_dashboard_devices(void);
struct WebAsset web_asset_dashboard_rights(void);
struct WebAsset web_asset_dashboard_receipts(void);
struct WebAsset web_asset_dashboard_audit(void);
struct WebAsset web_asset_dashboard_webhooks(void);
struct WebAsset web_asset_dashboard_viewers(void);
struct WebAsset web_asset_dashboard_day(void);
struct WebAsset web_asset_dashboard_gates(void);
struct WebAsset web_asset_dashboard_gate(void);
struct WebAsset web_asset_dashboard_failure(void);
/// The dashboard's scripts, style and icon, served under /dashboard/.
struct WebAsset web_asset_dashboard_live_script(void);
struct WebAsset web_asset_dashboard_setup_script(void);
struct WebAsset web_asset_dashboard_style(void);
struct WebAsset web_asset_dashboard_icon(void);
/// The description of every route, in YAML: one document a concept.
struct WebAsset web_asset_openapi(void);
/// The template of the page that shows it, and its style.
struct WebAsset web_asset_openapi_page(void);
struct WebAsset web_asset_openapi_style(void);
/// The template of a mail's plain text.
struct WebAsset web_asset_letter_text(void);
/// The template of a mail's HTML.
struct WebAsset web_asset_letter_page(void);
/// The passwords that are guessed first, one a line, in lower case.
struct WebAsset web_asset_common_passwords(void);
/// uap-core's rules for naming browsers and devices, in YAML.
struct WebAsset web_asset_uap_rules(void);
