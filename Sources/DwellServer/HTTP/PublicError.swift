import DwellAPI
import Hummingbird
import NIOHTTP1

/// An error as the world sees it. The cause is for the log.
struct PublicError: Error {
    let status: HTTPResponse.Status
    let code: ErrorCode
    /// A sentence for people.
    let message: String
    /// The field that was refused.
    var field: String?
    /// The devices in use, when there are too many.
    var devices: [DeviceRecord]?
    /// Lets one of them be replaced.
    var ticket: String?
    /// How many segments of a beat were stored nevertheless.
    var stored: Int?
    /// Every segment of a beat that was refused.
    var refused: [RefusedField]?
    /// What plays, when it is as much as may.
    var viewing: ViewingRefusal?
    var headers: HTTPFields = [:]

    /// The contract's number for "too many devices". Caches and clients may take it for "try another connection".
    static let misdirected = HTTPResponse.Status(code: 421, reasonPhrase: "Misdirected Request")
    /// How soon a client should come back when the store is away, in seconds.
    static let retryAfter = "5"

    static let badRequest = PublicError(status: .badRequest, code: .badRequest, message: "Bad Request")
    static let noSession = PublicError(status: .badRequest, code: .noSession, message: "No session")
    static let notFound = PublicError(status: .notFound, code: .notFound, message: "Not Found")
    static let unauthorized = PublicError(status: .unauthorized, code: .unauthorized, message: "Unauthorized")
    static let crossSite = PublicError(
        status: .forbidden, code: .crossSite, message: "Refused: the request comes from another site")
}

/// The one table from errors to answers.
extension PublicError {
    init(_ error: any Error) {
        switch error {
        case let error as PublicError: self = error
        case let error as InvalidField:
            self.init(status: .badRequest, code: .invalidField, message: error.description, field: error.field)
        case let error as BodyError: self.init(error)
        case let error as AccountError: self.init(error)
        case let error as DeviceError: self.init(error)
        case let error as LoginError: self.init(error)
        case let error as GateError: self.init(error)
        case let error as OperatorError: self.init(error)
        case WebhookError.notFound: self = .notFound
        case WebhookError.disabled:
            self.init(InvalidField("id", expected: "a delivery's to an endpoint in use: `dwell webhook enable`"))
        case let error as TooManyTries:
            self.init(
                status: .tooManyRequests, code: .tooManyTries,
                message: "Too many tries. The next one is possible in \(error.seconds) s",
                headers: [.retryAfter: "\(error.seconds)"])
        case let error as QuotaError:
            self.init(
                status: .tooManyRequests, code: .tooManyTries,
                message: "This key has made all the requests it may. The next one is possible in \(error.seconds) s",
                headers: [.retryAfter: "\(error.seconds)"])
        case is KeyError:
            self = .unauthorized
            headers[.wwwAuthenticate] = "Bearer"
        case is UnknownPerson: self = .notFound
        case let error as ScopeError:
            let scope = error.needed.rawValue
            self.init(
                status: .forbidden, code: .scopeMissing, message: "This key lacks the scope \(scope)",
                headers: [.wwwAuthenticate: "Bearer error=\"insufficient_scope\", scope=\"\(scope)\""])
        case is HTTPParserError: self = .badRequest
        case ViewingError.limitReached(let refusal):
            self.init(
                status: .conflict, code: .viewingLimit, message: "As many videos as may be play already",
                viewing: refusal)
        case MailError.notSetUp:
            self.init(
                status: .notImplemented, code: .mailNotSetUp,
                message: "This server can't send mail: its operator has not set DWELL_SMTP_URL")
        case DatabaseError.unavailable:
            self.init(
                status: .serviceUnavailable, code: .unavailable, message: "The store is away, try again soon",
                headers: [.retryAfter: Self.retryAfter])
        case let error as any HTTPResponseError where error.status == .notFound: self = .notFound
        case let error as any HTTPResponseError where error.status.kind == .clientError:
            self.init(status: error.status, code: .badRequest, message: error.status.reasonPhrase)
        default:
            self.init(status: .internalServerError, code: .internalError, message: "Internal Server Error")
        }
    }

    /// A beat of which some segments can't be stored.
    init(refused fields: [InvalidField], of count: Int) {
        self.init(fields[0])
        stored = count - fields.count
        refused = fields.map { RefusedField(field: $0.field, expected: $0.expected) }
    }

    private init(_ error: BodyError) {
        switch error {
        case .malformed(let detail):
            self.init(status: .badRequest, code: .malformedJSON, message: "The body must be JSON: \(detail)")
        case .tooLarge(let limit):
            self.init(
                status: .contentTooLarge, code: .bodyTooLarge, message: "The body must be at most \(limit) bytes")
        case .unsupported(let expected):
            self.init(
                status: .unsupportedMediaType, code: .unsupportedMediaType,
                message: "The body's Content-Type must be \(expected)")
        }
    }

    private init(_ error: AccountError) {
        switch error {
        case .usernameTaken:
            self.init(status: .conflict, code: .usernameTaken, message: "This username is taken", field: "username")
        case .emailTaken:
            self.init(status: .conflict, code: .emailTaken, message: "This email is taken", field: "email")
        case .wrongCredentials:
            self.init(
                status: .unauthorized, code: .wrongCredentials, message: "Username or password didn't match")
        case .wrongPassword: self.init(InvalidField("current", expected: "the password that the account has"))
        case .disabled:
            self.init(
                status: .forbidden, code: .accountDisabled,
                message: "This account was disabled by the operator of this server")
        case .codeRefused:
            self.init(
                status: .badRequest, code: .codeInvalid,
                message: "The code is wrong, was used, is older than 10 minutes, or another browser asked for it",
                field: "code")
        }
    }

    private init(_ error: GateError) {
        switch error {
        case .addressRefused:
            self.init(
                status: .forbidden, code: .addressRefused, message: "This email may not enter here", field: "email")
        case .closed(let time):
            self.init(status: .forbidden, code: .gateClosed, message: "These pages were open until \(time)")
        case .revoked(let time):
            self.init(
                status: .unauthorized, code: .passRevoked,
                message: "The owner of these pages ended this visit at \(time)")
        case .needsOwnPage:
            self.init(
                status: .forbidden, code: .crossSite,
                message: "Refused: this gate mails a code, which only its own page may ask for")
        }
    }

    private init(_ error: OperatorError) {
        switch error {
        case .wrongCode:
            self.init(
                status: .unauthorized, code: .codeInvalid, message: "This is not the code that the server printed",
                field: "code")
        case .alreadySetUp:
            self.init(
                status: .conflict, code: .codeInvalid, message: "There is an operator already: sign in", field: "code")
        }
    }

    private init(_ error: DeviceError) {
        switch error {
        case .limitReached(let devices, let ticket):
            self.init(
                status: Self.misdirected, code: .deviceLimit, message: "Maximum user device logged in",
                devices: devices.map(\.record), ticket: ticket?.secret.text)
        case .ownDevice:
            self.init(
                status: .badRequest, code: .ownDevice, message: "Can't remove this device! Try logging out.")
        case .notFound: self.init(status: .notFound, code: .notFound, message: "Device not found")
        case .ticketUnknown: self.init(ticket: "is none, or was used already")
        case .ticketExpired: self.init(ticket: "is past its end")
        case .ticketOfOtherBrowser: self.init(ticket: "was given to another browser")
        }
    }

    private init(ticket reason: String) {
        self.init(
            status: .unauthorized, code: .ticketInvalid, message: "This ticket \(reason). Log in again.")
    }

    private init(_ error: LoginError) {
        switch error {
        case .missing: self = .badRequest
        case .expired: self.init(status: .unauthorized, code: .tokenExpired, message: "Token Expired")
        case .accountDeleted:
            self.init(
                status: .unauthorized, code: .tokenInvalid, message: "The account of this login was deleted")
        case .invalid: self.init(status: .unauthorized, code: .tokenInvalid, message: "Invalid Token")
        case .deviceRemoved(let removal, let time):
            self.init(
                status: .unauthorized, code: .deviceRemoved,
                message: "This device was \(removal.sentence) at \(time). Log in again.")
        }
    }
}

extension Device.Removal {
    fileprivate var sentence: String {
        switch self {
        case .logout: "logged out"
        case .removed: "removed from the access list"
        case .replaced: "replaced by a new login on the same browser"
        case .evicted: "removed to make room for a login on another browser"
        case .idle: "logged out because it was not used"
        case .expired: "logged out at the end of its login"
        case .operator: "logged out by the operator of this server"
        }
    }
}
