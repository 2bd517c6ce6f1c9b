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
WEB_ASSET(letter_text)
WEB_ASSET(letter_page)
WEB_ASSET(common_passwords)
WEB_ASSET(uap_rules)
