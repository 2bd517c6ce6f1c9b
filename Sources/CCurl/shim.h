#pragma once

// The macros that check types would come between Swift and the functions.
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

// Swift can't call C functions whose arguments are open: one function for each kind of value.

static inline CURLcode dwell_curl_start(void) { return curl_global_init(CURL_GLOBAL_DEFAULT); }

static inline CURLcode dwell_curl_set_text(CURL *handle, CURLoption option, const char *value) {
    return curl_easy_setopt(handle, option, value);
}

/// Lets a request go by HTTP and by nothing else.
static inline CURLcode dwell_curl_allow_web(CURL *handle) {
#if LIBCURL_VERSION_NUM >= 0x075500
    return curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    return curl_easy_setopt(handle, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
}

static inline CURLcode dwell_curl_set_number(CURL *handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode dwell_curl_set_list(CURL *handle, CURLoption option, struct curl_slist *value) {
    return curl_easy_setopt(handle, option, value);
}

/// What is sent comes from `read`; `progress` may end it. `value` is passed to both.
static inline CURLcode dwell_curl_set_source(
    CURL *handle, curl_read_callback read, curl_xferinfo_callback progress, void *value
) {
    curl_easy_setopt(handle, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(handle, CURLOPT_READFUNCTION, read);
    curl_easy_setopt(handle, CURLOPT_READDATA, value);
    curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, progress);
    return curl_easy_setopt(handle, CURLOPT_XFERINFODATA, value);
}

/// What is answered goes to `write`; `progress` may end the transfer. `value` is passed to both.
static inline CURLcode dwell_curl_set_sink(
    CURL *handle, curl_write_callback write, curl_xferinfo_callback progress, void *value
) {
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, write);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, value);
    curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, progress);
    return curl_easy_setopt(handle, CURLOPT_XFERINFODATA, value);
}

static inline CURLcode dwell_curl_set_complaint(CURL *handle, char *buffer) {
    return curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, buffer);
}

/// The last reply of the server, such as 250; 0 when there was none.
static inline long dwell_curl_reply(CURL *handle) {
    long code = 0;
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &code);
    return code;
}

/// The seconds that the answer asks to be left alone, whether it says how many or until when; 0 when it does not.
static inline long dwell_curl_retry_after(CURL *handle) {
    curl_off_t seconds = 0;
    curl_easy_getinfo(handle, CURLINFO_RETRY_AFTER, &seconds);
    return (long)seconds;
}
