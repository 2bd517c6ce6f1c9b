/// A plain answer of the account routes: `{"error":false,"msg":"…"}`.
public struct MessageReply: Sendable, Codable {
    public var error: Bool
    public var msg: String

    public init(_ msg: String) {
        self.error = false
        self.msg = msg
    }
}

/// An error of the account routes: `{"error":true,"msg":"…","code":"…"}`.
public struct MessageErrorBody: Sendable, Codable {
    public var error: Bool
    /// For people.
    public var msg: String
    /// For programs.
    public var code: ErrorCode
    /// The field that was refused, with `invalid_field`.
    public var field: String?
    /// The devices in use, with `device_limit`.
    public var devices: [DeviceRecord]?
    /// With `device_limit`, where one of the devices may be replaced: for `POST /devices/replace`, once, within five
    /// minutes, from the same browser.
    public var ticket: String?

    public init(
        msg: String, code: ErrorCode, field: String? = nil, devices: [DeviceRecord]? = nil, ticket: String? = nil
    ) {
        self.error = true
        self.msg = msg
        self.code = code
        self.field = field
        self.devices = devices
        self.ticket = ticket
    }
}

/// An error of the gate's and the heartbeat's routes: `{"success":false,"error":"…","code":"…"}`.
public struct GateErrorBody: Sendable, Codable {
    public var success: Bool
    /// For people.
    public var error: String
    /// For programs.
    public var code: ErrorCode
    /// The first field that was refused, with `invalid_field`, such as `segments[3].to`.
    public var field: String?
    /// How many segments of the same beat were stored nevertheless.
    public var stored: Int?
    /// Every segment of the beat that was refused, by the first field that is not as it must be. They will be refused
    /// again.
    public var refused: [RefusedField]?
    /// What plays, with `viewing_limit`.
    public var viewing: ViewingRefusal?

    public init(
        error: String, code: ErrorCode, field: String? = nil, stored: Int? = nil, refused: [RefusedField]? = nil,
        viewing: ViewingRefusal? = nil
    ) {
        self.success = false
        self.error = error
        self.code = code
        self.field = field
        self.stored = stored
        self.refused = refused
        self.viewing = viewing
    }
}

/// A field that was refused.
public struct RefusedField: Sendable, Codable, Equatable {
    /// Its path, such as `segments[3].to`.
    public var field: String
    /// What it must be.
    public var expected: String

    public init(field: String, expected: String) {
        self.field = field
        self.expected = expected
    }
}

/// The answer to `POST /api/verify-temp-access` with JSON.
public struct GateReply: Sendable, Codable {
    public var success: Bool
    /// The page to open, a path on this site: the confidential one, or the one that asks for a code, where that is mailed.
    public var redirect: String
    /// Names the session in beats that come without cookies, such as those of a page on another origin. None before the
    /// code was confirmed.
    public var token: String?

    public init(redirect: String, token: String?) {
        self.success = true
        self.redirect = redirect
        self.token = token
    }
}

/// The answer to `/session/init`.
public struct SessionInitReply: Sendable, Codable {
    public var error: Bool
    /// The session's number, as text.
    public var sessionId: String
    /// Names the session in beats that come without cookies.
    public var token: String

    public init(sessionId: String, token: String) {
        self.error = false
        self.sessionId = sessionId
        self.token = token
    }
}

/// An error of `/api/v1`: a problem of RFC 9457, sent as `application/problem+json`.
public struct ProblemBody: Sendable, Codable {
    /// Always `about:blank`: `code` tells the kinds apart.
    public var type: String
    /// The status in words.
    public var title: String
    public var status: Int
    /// What is wrong with this request, for people.
    public var detail: String
    /// For programs.
    public var code: ErrorCode
    /// The parameter that was refused, with `invalid_field`.
    public var field: String?

    public init(title: String, status: Int, detail: String, code: ErrorCode, field: String? = nil) {
        self.type = "about:blank"
        self.title = title
        self.status = status
        self.detail = detail
        self.code = code
        self.field = field
    }
}
