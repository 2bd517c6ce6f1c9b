/// What went wrong, for programs: the `code` of an error body. A code never changes its meaning.
public enum ErrorCode: String, Sendable, Codable, CaseIterable {
    /// 400, and other 4xx without a code of their own: the request lacks a cookie that it needs, or can't be read.
    case badRequest = "bad_request"
    /// 400: the body is not JSON, or not of the form that was expected.
    case malformedJSON = "malformed_json"
    /// 400: one field is missing or its value is refused; `field` names it.
    case invalidField = "invalid_field"
    /// 400: neither a cookie nor a token names the session that a beat belongs to.
    case noSession = "no_session"
    /// 400: a device can't remove itself; log out instead.
    case ownDevice = "own_device"
    /// 400: a mailed code is wrong, was used, is older than 10 minutes, or another browser asked for it.
    case codeInvalid = "code_invalid"
    /// 401: no valid key or access key.
    case unauthorized
    /// 401: the login token is past its end.
    case tokenExpired = "token_expired"
    /// 401: the login token, or a beat's token, is not one of this server's, or not any more.
    case tokenInvalid = "token_invalid"
    /// 401: the device that the token belongs to was removed.
    case deviceRemoved = "device_removed"
    /// 401: no account has this username with this password.
    case wrongCredentials = "wrong_credentials"
    /// 401: the ticket was used, is past its end, or is another browser's.
    case ticketInvalid = "ticket_invalid"
    /// 401: the operator of the site ended what the visitor of a gate had.
    case passRevoked = "pass_revoked"
    /// 403: the gate's lists, or the operator, keep this email out.
    case addressRefused = "address_refused"
    /// 403: the gate's time is over.
    case gateClosed = "gate_closed"
    /// 403: a request from another site that would change something.
    case crossSite = "cross_site"
    /// 403: the password is right, and the operator has disabled the account.
    case accountDisabled = "account_disabled"
    /// 403: the key is good, and lacks the scope that the route needs; `detail` and `WWW-Authenticate` name it.
    case scopeMissing = "scope_missing"
    /// 404: no such thing, or it is somebody else's.
    case notFound = "not_found"
    /// 405: the path exists, the method does not; `Allow` lists those that do.
    case methodNotAllowed = "method_not_allowed"
    /// 409: another account has this username.
    case usernameTaken = "username_taken"
    /// 409: another account has this email.
    case emailTaken = "email_taken"
    /// 409: the account plays as many videos at once as it may; `viewing` lists them.
    case viewingLimit = "viewing_limit"
    /// 413: the body is over the limit.
    case bodyTooLarge = "body_too_large"
    /// 415: the body is of a type that this route does not read.
    case unsupportedMediaType = "unsupported_media_type"
    /// 421: the account is logged in on as many devices as it may be.
    case deviceLimit = "device_limit"
    /// 429: too many wrong guesses, or too many requests of a kind; `Retry-After` says when to come back.
    case tooManyTries = "too_many_tries"
    /// 500: a fault of the server's; its log has the cause.
    case internalError = "internal_error"
    /// 501: the operator has not set up mail.
    case mailNotSetUp = "mail_not_set_up"
    /// 503: the store is away or busy; `Retry-After` says when to come back.
    case unavailable
}
