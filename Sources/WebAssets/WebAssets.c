#include "WebAssets.h"

#if !__has_embed("/usr/share/uap-core/regexes.yaml")
#error "uap-core's regexes.yaml is missing: run script/bootstrap"
#endif

static const unsigned char dwell_js[] = {
#embed "files/dwell.js"
};
static const unsigned char dwell_types[] = {
#embed "files/dwell.d.ts"
};
static const unsigned char dwell_css[] = {
#embed "files/dwell.css"
};
static const unsigned char gate_page[] = {
#embed "files/gate.mustache"
};
static const unsigned char error_page[] = {
#embed "files/error.mustache"
};
static const unsigned char account_page[] = {
#embed "files/account.mustache"
};
static const unsigned char code_script[] = {
#embed "files/code.js"
};
static const unsigned char dashboard_layout[] = {
#embed "files/dashboard/layout.mustache"
};
static const unsigned char dashboard_door[] = {
#embed "files/dashboard/door.mustache"
};
static const unsigned char dashboard_now[] = {
#embed "files/dashboard/now.mustache"
};
static const unsigned char dashboard_people[] = {
#embed "files/dashboard/people.mustache"
};
static const unsigned char dashboard_chart[] = {
#embed "files/dashboard/chart.mustache"
};
static const unsigned char dashboard_list[] = {
#embed "files/dashboard/list.mustache"
};
static const unsigned char dashboard_ranks[] = {
#embed "files/dashboard/ranks.mustache"
};
static const unsigned char dashboard_overview[] = {
#embed "files/dashboard/overview.mustache"
};
static const unsigned char dashboard_sessions[] = {
#embed "files/dashboard/sessions.mustache"
};
static const unsigned char dashboard_evidence[] = {
#embed "files/dashboard/evidence.mustache"
};
static const unsigned char dashboard_person[] = {
#embed "files/dashboard/person.mustache"
};
static const unsigned char dashboard_rights[] = {
#embed "files/dashboard/rights.mustache"
};
static const unsigned char dashboard_receipts[] = {
#embed "files/dashboard/receipts.mustache"
};
static const unsigned char dashboard_audit[] = {
#embed "files/dashboard/audit.mustache"
};
static const unsigned char dashboard_videos[] = {
#embed "files/dashboard/videos.mustache"
};
static const unsigned char dashboard_audience[] = {
#embed "files/dashboard/audience.mustache"
};
static const unsigned char dashboard_progress[] = {
#embed "files/dashboard/progress.mustache"
};
static const unsigned char dashboard_settings[] = {
#embed "files/dashboard/settings.mustache"
};
static const unsigned char dashboard_devices[] = {
#embed "files/dashboard/devices.mustache"
};
static const unsigned char dashboard_webhooks[] = {
#embed "files/dashboard/webhooks.mustache"
};
static const unsigned char dashboard_viewers[] = {
#embed "files/dashboard/viewers.mustache"
};
static const unsigned char dashboard_day[] = {
#embed "files/dashboard/day.mustache"
};
static const unsigned char dashboard_gates[] = {
#embed "files/dashboard/gates.mustache"
};
static const unsigned char dashboard_gate[] = {
#embed "files/dashboard/gate.mustache"
};
static const unsigned char dashboard_failure[] = {
#embed "files/dashboard/failure.mustache"
};
static const unsigned char dashboard_live_script[] = {
#embed "files/dashboard/live.js"
};
static const unsigned char dashboard_setup_script[] = {
#embed "files/dashboard/setup.js"
};
static const unsigned char dashboard_style[] = {
#embed "files/dashboard/style.css"
};
static const unsigned char dashboard_icon[] = {
#embed "files/dashboard/icon.svg"
};
// One file a concept, each of which begins with the line that ends a document of YAML.
static const unsigned char openapi[] = {
#embed "files/openapi/openapi.yaml" suffix(, )
#embed "files/openapi/sessions.yaml" suffix(, )
#embed "files/openapi/videos.yaml" suffix(, )
#embed "files/openapi/overview.yaml" suffix(, )
#embed "files/openapi/viewers.yaml" suffix(, )
#embed "files/openapi/export.yaml" suffix(, )
#embed "files/openapi/rights.yaml" suffix(, )
#embed "files/openapi/webhooks.yaml" suffix(, )
#embed "files/openapi/installation.yaml" suffix(, )
#embed "files/openapi/gate.yaml" suffix(, )
#embed "files/openapi/accounts.yaml" suffix(, )
#embed "files/openapi/devices.yaml" suffix(, )
#embed "files/openapi/watching.yaml" suffix(, )
#embed "files/openapi/server.yaml" suffix(, )
};
static const unsigned char openapi_page[] = {
#embed "files/openapi/docs.mustache"
};
static const unsigned char openapi_style[] = {
#embed "files/openapi/docs.css"
};
static const unsigned char letter_text[] = {
#embed "files/letter.text.mustache"
};
static const unsigned char letter_page[] = {
#embed "files/letter.html.mustache"
};
static const unsigned char common_passwords[] = {
#embed "files/common-passwords.txt"
};
static const unsigned char uap_rules[] = {
#embed "/usr/share/uap-core/regexes.yaml"
};

#define WEB_ASSET(name) \
    struct WebAsset web_asset_##name(void) { return (struct WebAsset){name, sizeof name}; }

WEB_ASSET(dwell_js)
WEB_ASSET(dwell_types)
WEB_ASSET(dwell_css)
WEB_ASSET(gate_page)
WEB_ASSET(error_page)
WEB_ASSET(account_page)
WEB_ASSET(code_script)
WEB_ASSET(dashboard_layout)
WEB_ASSET(dashboard_door)
WEB_ASSET(dashboard_now)
WEB_ASSET(dashboard_people)
WEB_ASSET(dashboard_chart)
WEB_ASSET(dashboard_list)
WEB_ASSET(dashboard_ranks)
WEB_ASSET(dashboard_overview)
WEB_ASSET(dashboard_sessions)
WEB_ASSET(dashboard_evidence)
WEB_ASSET(dashboard_person)
WEB_ASSET(dashboard_rights)
WEB_ASSET(dashboard_receipts)
WEB_ASSET(dashboard_audit)
WEB_ASSET(dashboard_videos)
WEB_ASSET(dashboard_audience)
WEB_ASSET(dashboard_progress)
WEB_ASSET(dashboard_settings)
WEB_ASSET(dashboard_devices)
WEB_ASSET(dashboard_webhooks)
WEB_ASSET(dashboard_viewers)
WEB_ASSET(dashboard_day)
WEB_ASSET(dashboard_gates)
WEB_ASSET(dashboard_gate)
WEB_ASSET(dashboard_failure)
WEB_ASSET(dashboard_live_script)
WEB_ASSET(dashboard_setup_script)
WEB_ASSET(dashboard_style)
WEB_ASSET(dashboard_icon)
WEB_ASSET(openapi)
WEB_ASSET(openapi_page)
WEB_ASSET(openapi_style)
WEB_ASSET(letter_text)
WEB_ASSET(letter_page)
WEB_ASSET(common_passwords)
WEB_ASSET(uap_rules)
