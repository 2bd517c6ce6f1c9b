import NIOHTTP1

/// What the lane needs of a heartbeat's head.
///
/// Only heads as browsers send them are read here. One in which something stands twice, or that has a character beyond
/// ASCII where it matters, goes the ordinary way, so that there is one reading of what is odd.
struct HeartbeatHead {
    private(set) var host: String?
    private(set) var origin: String?
    /// Its `Sec-Fetch-Site`.
    private(set) var site: String?
    private(set) var referer: String?
    private(set) var authorization: String?
    private(set) var expectsContinue = false
    /// Whether the connection ends with the answer.
    private(set) var closes: Bool
    private var cookies: String?

    /// - Parameters:
    ///   - head: The head of a request
    ///   - bodyLimit: The most bytes that its body may have
    /// - Returns: `nil` for anything that goes the ordinary way
    init?(_ head: HTTPRequestHead, bodyLimit: Int) {
        // The target as scripts write it: every other way of writing it is the router's affair.
        guard head.method == .POST, head.uri == HeartbeatRoutes.path, head.version.major == 1 else { return nil }
        closes = head.version.minor == 0
        var connection: String?
        var expectation: String?
        var length: String?
        for (name, value) in head.headers {
            let isPlain =
                switch name.utf8.count {
                case 4 where name.isHeader("host"): Self.take(value, as: &host)
                case 6 where name.isHeader("cookie"): Self.take(value, as: &cookies)
                case 6 where name.isHeader("origin"): Self.take(value, as: &origin)
                case 6 where name.isHeader("expect"): Self.take(value, as: &expectation)
                case 7 where name.isHeader("referer"): Self.take(value, as: &referer)
                case 10 where name.isHeader("connection"): Self.take(value, as: &connection)
                case 13 where name.isHeader("authorization"): Self.take(value, as: &authorization)
                case 14 where name.isHeader("content-length"): Self.take(value, as: &length)
                case 14 where name.isHeader("sec-fetch-site"): Self.take(value, as: &site)
                default: true
                }
            guard isPlain else { return nil }
        }
        switch connection {
        case nil: break
        case let value? where value.isHeader("close"): closes = true
        case let value? where value.isHeader("keep-alive"): closes = false
        default: return nil
        }
        if let expectation {
            guard expectation.isHeader("100-continue"), head.version.minor > 0 else { return nil }
            expectsContinue = true
        }
        if let length {
            guard let length = Int(length), length <= bodyLimit else { return nil }
        }
    }

    /// Keeps a value, unless there is one already or it is not plain ASCII.
    private static func take(_ value: String, as kept: inout String?) -> Bool {
        guard kept == nil, value.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else { return false }
        kept = value
        return true
    }

    /// The value of a cookie, the first of that name; an empty one counts as none.
    func cookie(_ name: String) -> String? {
        guard let cookies = cookies?.utf8 else { return nil }
        var rest = cookies[...]
        while !rest.isEmpty {
            let cookie = rest.prefix { $0 != UInt8(ascii: ";") }
            rest = rest[cookie.endIndex...].dropFirst()
            let trimmed = cookie.drop { $0 == UInt8(ascii: " ") }
            let found = trimmed.prefix { $0 != UInt8(ascii: "=") }
            guard found.endIndex < trimmed.endIndex, found.elementsEqual(name.utf8) else { continue }
            let value = trimmed[found.endIndex...].dropFirst()
            return value.isEmpty ? nil : String(Substring(value))
        }
        return nil
    }
}

extension String {
    /// Whether this is a header's name, or a word in one, in whatever case.
    /// - Parameter lowercase: ASCII in lower case
    fileprivate func isHeader(_ lowercase: StaticString) -> Bool {
        guard utf8.count == lowercase.utf8CodeUnitCount else { return false }
        var expected = lowercase.utf8Start
        for byte in utf8 {
            let isCapital = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
            guard (isCapital ? byte | 0x20 : byte) == expected.pointee else { return false }
            expected += 1
        }
        return true
    }
}
