/// The JSON body of `POST /api/session-heartbeat`: what a page's script claims to have seen.
///
/// All times are the client's own clock in milliseconds; `sentAt`, stamped when the bytes leave, ties them to the
/// server's. An empty body is a beat as well: it says only that the page is open and visible now.
///
/// A client's segments are ``SegmentClaim``; whoever receives a beat may read them as something else.
public struct BeatBody<Segment: Sendable>: Sendable {
    /// The version of this form: 1.
    public var v: Int64
    /// The client's clock when the beat was sent, in milliseconds.
    public var sentAt: Int64
    /// Names the session that the segments belong to, as an answer's ``BeatReply/token`` did. Without it, and without
    /// an `Authorization: Bearer` header, cookies say whose beat it is.
    public var token: String?
    /// How long the client will wait before its next beat, in milliseconds, when it does not do as the server says:
    /// 1,000 to 86,400,000.
    public var interval: Int64?
    /// Up to 500 segments: the open ones, and every closed one that the server has not confirmed. A beat without any
    /// asks only for the time and the interval.
    public var segments: [Segment]

    public init(
        v: Int64 = 1, sentAt: Int64, token: String? = nil, interval: Int64? = nil, segments: [Segment]
    ) {
        self.v = v
        self.sentAt = sentAt
        self.token = token
        self.interval = interval
        self.segments = segments
    }

    private enum CodingKeys: CodingKey {
        case v, sentAt, token, interval, segments
    }
}

extension BeatBody: Equatable where Segment: Equatable {}

extension BeatBody: Encodable where Segment: Encodable {}

extension BeatBody: Decodable where Segment: Decodable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        v = try container.wholeNumber(.v)
        sentAt = try container.wholeNumber(.sentAt)
        token = try container.decodeIfPresent(String.self, forKey: .token)
        interval = try container.wholeNumberIfPresent(.interval)
        segments = try container.decode([Segment].self, forKey: .segments)
    }
}

/// One uninterrupted stretch of attention, as a client claims it.
///
/// `(tab, n)` names it within its session: sending it again, longer, extends it; sending it again unchanged changes
/// nothing.
public struct SegmentClaim: Sendable, Codable, Equatable {
    /// Names the tab: 1 to 32 of `A–Z a–z 0–9 _ -`.
    public var tab: String
    /// Counts the tab's segments from 0.
    public var n: Int64
    /// Start by the client's clock, in milliseconds.
    public var from: Int64
    /// End by the client's clock, in milliseconds; never before `from`.
    public var to: Int64
    /// Whether the person was doing something.
    public var attention: Attention
    /// The page's path, such as `/portfolio`; at most 2,048 bytes.
    public var page: String?
    /// The video's name, 1 to 255 bytes.
    public var video: String?
    /// Where in the video the segment began, in milliseconds of media time.
    public var mediaFrom: Int64?
    /// Where in the video it ended, in milliseconds of media time; never before `mediaFrom`.
    public var mediaTo: Int64?
    /// How long the whole video is, in milliseconds of media time: 1 or more. Absent where nobody knows, as of a live
    /// stream.
    public var mediaDuration: Int64?
    /// The speed of playback: above 0, at most 16.
    public var rate: Double?
    /// Why it ended; absent while it is open.
    public var end: SegmentEnd?

    public init(
        tab: String, n: Int64, from: Int64, to: Int64, attention: Attention, page: String? = nil,
        video: String? = nil, mediaFrom: Int64? = nil, mediaTo: Int64? = nil, mediaDuration: Int64? = nil,
        rate: Double? = nil, end: SegmentEnd? = nil
    ) {
        self.tab = tab
        self.n = n
        self.from = from
        self.to = to
        self.attention = attention
        self.page = page
        self.video = video
        self.mediaFrom = mediaFrom
        self.mediaTo = mediaTo
        self.mediaDuration = mediaDuration
        self.rate = rate
        self.end = end
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        tab = try container.decode(String.self, forKey: .tab)
        n = try container.wholeNumber(.n)
        from = try container.wholeNumber(.from)
        to = try container.wholeNumber(.to)
        attention = try container.decode(Attention.self, forKey: .attention)
        page = try container.decodeIfPresent(String.self, forKey: .page)
        video = try container.decodeIfPresent(String.self, forKey: .video)
        mediaFrom = try container.wholeNumberIfPresent(.mediaFrom)
        mediaTo = try container.wholeNumberIfPresent(.mediaTo)
        mediaDuration = try container.wholeNumberIfPresent(.mediaDuration)
        rate = try container.decodeIfPresent(Double.self, forKey: .rate)
        end = try container.decodeIfPresent(SegmentEnd.self, forKey: .end)
    }
}

extension KeyedDecodingContainer {
    /// A whole number. For one that has a fraction or does not fit, Foundation throws an error of its own, without
    /// the path.
    package func wholeNumber(_ key: Key) throws -> Int64 {
        do {
            return try decode(Int64.self, forKey: key)
        } catch  where !(error is DecodingError) {
            throw DecodingError.dataCorruptedError(
                forKey: key, in: self, debugDescription: "a whole number of at most 64 bits")
        }
    }

    package func wholeNumberIfPresent(_ key: Key) throws -> Int64? {
        guard contains(key), try !decodeNil(forKey: key) else { return nil }
        return try wholeNumber(key)
    }
}

/// What a person gave a page while it was visible.
public enum Attention: String, Sendable, Codable, CaseIterable {
    /// Input within the idle threshold, or media playing.
    case active
    /// Visible, but nothing was done.
    case idle

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let attention = Attention(rawValue: try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "active or idle")
        }
        self = attention
    }
}

/// Why a segment ended.
public enum SegmentEnd: String, Sendable, Codable, CaseIterable {
    /// The tab went behind another, or the window was minimized.
    case hidden
    /// The page was left or closed.
    case left
    /// Another page of the site came up in the same document.
    case page
    /// Only the attention changed; the next segment follows without a gap.
    case attention
    /// The browser froze the page.
    case frozen
    /// The device slept or the page stood still: found by the clock, up to a second unsure on either side.
    case asleep
    /// The page ended without a word; found later in the browser's storage, up to 65 seconds unsure.
    case lost
    /// Another session took over.
    case session
    /// The player was paused.
    case paused
    /// The player's position was changed by hand.
    case sought
    /// The player's speed changed.
    case rate
    /// The medium was over.
    case ended
    /// The player waited for data.
    case stalled

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let end = SegmentEnd(rawValue: try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(
                in: container,
                debugDescription: "one of " + Self.allCases.map(\.rawValue).joined(separator: ", "))
        }
        self = end
    }
}

/// The answer to a stored beat: 200 is sent after the beat is on disk.
public struct BeatReply: Sendable, Codable, Equatable {
    /// Always `true`.
    public var success: Bool
    /// How long the client should wait before its next beat, in milliseconds: 5, 15, 30 and 60 s, then the configured
    /// interval, by how long the open segment has been open; twice that while it is idle. Where videos at once are
    /// limited, 30 s at most while one plays.
    public var interval: Int64
    /// The server's clock at the beat's arrival, in milliseconds.
    public var time: Int64
    /// Names the session that new segments belong to, where it is not the one that the beat named.
    public var token: String?
    /// Which of the beat's players must stop, where videos at once are limited; absent when none must.
    public var viewing: ViewingRefusal?

    public init(interval: Int64, time: Int64, token: String? = nil, viewing: ViewingRefusal? = nil) {
        self.success = true
        self.interval = interval
        self.time = time
        self.token = token
        self.viewing = viewing
    }
}
