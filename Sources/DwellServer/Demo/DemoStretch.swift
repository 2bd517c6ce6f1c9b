import DwellAPI

/// A stretch of attention as it was: what a page's script would see of it. Times are milliseconds since the visit began.
struct DemoStretch {
    var from: Int64
    var to: Int64
    var attention = Attention.active
    let page: String
    var playback: Playback?
    let ending: SegmentEnd

    /// What a player does meanwhile.
    struct Playback {
        let video: DemoVideo
        /// Where in the video it begins, in milliseconds.
        let from: Int64
        let rate: Double
    }

    /// What the script claims of it at a time, by a clock that is set to something else.
    func claim(tab: String, n: Int, until time: Int64, isOver: Bool, clock: Int64) -> SegmentClaim {
        SegmentClaim(
            tab: tab, n: Int64(n), from: clock + from, to: clock + time, attention: attention, page: page,
            video: playback?.video.name, mediaFrom: playback?.from,
            mediaTo: playback.map { $0.from + Int64(Double(time - from) * $0.rate) },
            mediaDuration: playback?.video.length, rate: playback?.rate, end: isOver ? ending : nil)
    }
}

/// What somebody does on a visit, stretch after stretch.
struct DemoStretches {
    private(set) var list: [DemoStretch] = []
    /// How long the visit has lasted, in milliseconds.
    private(set) var time: Int64
    private var random: DemoRandom
    /// Longer than this no visit lasts.
    private let limit: Int64

    /// How often what happens while somebody reads.
    private static let events: (idle: Double, hidden: Double, asleep: Double) = (0.3, 0.16, 0.012)

    init(from time: Int64, limit: Int64 = 3 * 3_600_000, _ random: DemoRandom) {
        self.time = time
        self.limit = limit
        self.random = random
    }

    var isOver: Bool { time >= limit }

    /// Reads a page and leaves it.
    /// - Parameter length: For how long, in milliseconds, without what comes between
    mutating func read(_ page: DemoPage, for length: Int64) {
        var rest = max(length, 1500)
        while rest > 0, !isOver {
            let stretch = min(rest, max(2000, Int64(random.longTailed(median: 24, spread: 0.7) * 1000)))
            rest -= stretch
            if rest <= 0 {
                // Where a video is, it is played next.
                add(page, stretch, page.video == nil ? .left : .attention)
            } else if random.happens(Self.events.idle) {
                add(page, stretch, .attention)
                add(page, random.seconds(8...110), .attention, attention: .idle)
            } else if random.happens(Self.events.hidden) {
                add(page, stretch, .hidden)
                time += Int64(random.longTailed(median: 70, spread: 1.1) * 1000)
            } else if random.happens(Self.events.asleep) {
                add(page, stretch, .asleep)
                time += random.seconds(900...30_000)
            } else {
                add(page, stretch, .attention)
                add(page, random.seconds(3...8), .attention, attention: .idle)
            }
        }
    }

    /// Plays a video until it is over, or enough.
    /// - Parameters:
    ///   - position: Where in it to begin, in milliseconds
    ///   - patience: How long people stay beside others; 1 is usual
    /// - Returns: Where in it to go on another time
    mutating func play(
        _ video: DemoVideo, on page: DemoPage, from position: Int64, rate: Double, patience: Double
    ) -> Int64 {
        var position = position
        var rate = rate
        var isAgain = false
        while position < video.length, !isOver {
            let chunk = min(video.length - position, random.seconds(15...90))
            let watched = Int64(Double(chunk) / rate)
            let (before, after) = (part(position, of: video), part(position + chunk, of: video))
            let playback = DemoStretch.Playback(video: video, from: position, rate: rate)
            position = min(video.length, position + Int64(Double(watched) * rate))
            if after >= 1 {
                add(page, watched, .ended, playback)
                return 0
            }
            let isDull = before < video.dull && video.dull <= after
            if random.happens((video.leaving * Double(chunk) / 60_000 + (isDull ? 0.15 : 0)) / patience) {
                add(page, watched, random.happens(0.7) ? .paused : .left, playback)
                return position
            }
            if !isAgain, before < video.hard, video.hard <= after, random.happens(0.35) {
                isAgain = true
                add(page, watched, .sought, playback)
                position = max(0, position - random.seconds(20...150))
            } else if random.happens(0.07) {
                add(page, watched, .paused, playback)
                time += Int64(random.longTailed(median: 20, spread: 1.2) * 1000)
            } else if random.happens(0.02) {
                add(page, watched, .sought, playback)
                position = min(video.length - 1000, position + random.seconds(10...60))
            } else if random.happens(0.02) {
                add(page, watched, .rate, playback)
                rate = rate == 1 ? 1.5 : 1
            } else if random.happens(0.02) {
                add(page, watched, .stalled, playback)
                time += random.seconds(1...9)
            } else if random.happens(0.04) {
                add(page, watched, .hidden, playback)
                time += Int64(random.longTailed(median: 90, spread: 1) * 1000)
            } else {
                extend(watched, playback)
            }
        }
        if open != nil { add(page, 0, .paused) }
        return position
    }

    private func part(_ position: Int64, of video: DemoVideo) -> Double {
        Double(position) / Double(video.length)
    }

    /// What is played without a break is one stretch.
    private var open: (length: Int64, playback: DemoStretch.Playback)?

    private mutating func extend(_ length: Int64, _ playback: DemoStretch.Playback) {
        open = open.map { ($0.length + length, $0.playback) } ?? (length, playback)
    }

    private mutating func add(
        _ page: DemoPage, _ length: Int64, _ ending: SegmentEnd, _ playback: DemoStretch.Playback? = nil,
        attention: Attention = .active
    ) {
        let end = time + (open?.length ?? 0) + length
        list.append(
            DemoStretch(
                from: time, to: end, attention: attention, page: page.path, playback: open?.playback ?? playback,
                ending: ending))
        open = nil
        time = end
    }
}
