#pragma once

// The macros that check types would come between Swift and the functions.
#define CURL_DISABLE_TYPECHECK
#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

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

static inline bool dwell_is_near_v4(uint32_t address) {
    return address >> 24 == 127 || address >> 24 == 0 || address >> 16 == 0xa9fe;
}

/// Whether an address is of this machine alone or of its link: loopback, unspecified, link-local.
static inline bool dwell_is_near(const struct sockaddr *address) {
    if (address->sa_family == AF_INET) {
        return dwell_is_near_v4(ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr));
    }
    const struct in6_addr *v6 = &((const struct sockaddr_in6 *)address)->sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(v6)) {
        uint32_t v4;
        memcpy(&v4, &v6->s6_addr[12], sizeof v4);
        return dwell_is_near_v4(ntohl(v4));
    }
    return IN6_IS_ADDR_LOOPBACK(v6) || IN6_IS_ADDR_UNSPECIFIED(v6) || IN6_IS_ADDR_LINKLOCAL(v6);
}

static inline curl_socket_t dwell_curl_open_afar(void *refused, curlsocktype purpose, struct curl_sockaddr *address) {
    if (dwell_is_near(&address->addr)) {
        *(bool *)refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype, address->protocol);
}

/// Connects to no address of this machine or its link, whatever name leads there; `refused` tells that one did.
static inline CURLcode dwell_curl_stay_away(CURL *handle, bool *refused) {
    curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, dwell_curl_open_afar);
    return curl_easy_setopt(handle, CURLOPT_OPENSOCKETDATA, refused);
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
