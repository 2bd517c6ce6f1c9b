import DwellAPI

/// What a visit of the demo is: what is looked at, and what the server hears of it.
struct DemoStory {
    let visit: DemoVisit
    let person: DemoPerson
    /// The folder of the person's gate.
    let folder: String
    let end: Timestamp
    let interval: Int64
    private var random: DemoRandom

    /// How often a visit is disturbed.
    private static let disturbances = (offline: 0.04, second: 0.07, lost: 0.03)

    init(
        _ visit: DemoVisit, of person: DemoPerson, folder: String, until end: Timestamp, interval: Int64, seed: UInt64
    ) {
        self.visit = visit
        self.person = person
        self.folder = folder
        self.end = end
        self.interval = interval
        random = DemoRandom(seed: seed, strand: 10_000_000 + UInt64(person.number * 200_000 + visit.number))
    }

    /// The beats of the visit, those of each tab in their order.
    /// - Parameter positions: Where in each video the person is, by its name; brought up to date
    mutating func beats(_ positions: inout [String: Int64]) -> [DemoBeat] {
        if person.role == .forger { return forged() }
        var stretches = DemoStretches(from: random.seconds(0.3...2), random)
        if person.door == .account { learn(&stretches, &positions) } else { look(&stretches, &positions) }
        var script = DemoScript(
            visit: visit, end: end, interval: interval, skew: random.seconds(-90...90),
            latency: random.seconds(0.02...0.4), later: random.seconds(3600...60_000))
        let length = stretches.time
        if random.happens(Self.disturbances.offline), !visit.isNow {
            let start = Int64(random.part() * Double(length))
            script.offline = start..<start + random.seconds(60...1800)
        }
        var seen = stretches.list
        if random.happens(Self.disturbances.lost), !visit.isNow, let last = seen.popLast() {
            seen.append(
                DemoStretch(
                    from: last.from, to: last.to, attention: last.attention, page: last.page, playback: last.playback,
                    ending: .lost))
        }
        var beats = script.beats(of: seen, tab: tab(0))
        if random.happens(Self.disturbances.second) {
            var beside = DemoStretches(from: Int64(random.part() * Double(length)), random)
            let page = pages[random.place(in: pages.map(\.pull))]
            beside.read(page, for: Int64(random.longTailed(median: page.reading, spread: 0.8) * 1000))
            beats += script.beats(of: beside.list, tab: tab(1))
        }
        return beats
    }

    private func tab(_ number: Int) -> String {
        "t\(String(visit.number, radix: 36))-\(String(person.number, radix: 36))-\(number)"
    }

    private var pages: [DemoPage] {
        person.door == .account ? [.course] + DemoPage.lessons : DemoPage.behind(folder)
    }

    /// A visitor of a gate looks at a few pages.
    private mutating func look(_ stretches: inout DemoStretches, _ positions: inout [String: Int64]) {
        let pages = pages
        var next = 0
        let count = visit.isNow ? 40 : 1 + Int(random.longTailed(median: 1.8, spread: 0.7) * min(person.keenness, 3))
        for _ in 0..<min(count, 40) where !stretches.isOver {
            let page = pages[next]
            let median = page.reading * (0.5 + min(person.keenness, 4) / 2)
            stretches.read(page, for: Int64(random.longTailed(median: median, spread: 0.9) * 1000))
            if let video = page.video, visit.isNow || positions[video.name] != 0 || random.happens(0.15) {
                play(page, &stretches, &positions)
            }
            next = random.place(in: pages.enumerated().map { $0.offset == next ? 0 : $0.element.pull })
        }
    }

    /// Somebody with an account goes on with the course.
    private mutating func learn(_ stretches: inout DemoStretches, _ positions: inout [String: Int64]) {
        stretches.read(.course, for: Int64(random.longTailed(median: DemoPage.course.reading, spread: 0.8) * 1000))
        let lessons = DemoPage.lessons
        if lessons.allSatisfy({ positions[$0.video?.name ?? ""] == 0 }) { return lookUp(&stretches) }
        // The one that was begun last, or another that looks good.
        var index = lessons.lastIndex { positions[$0.video?.name ?? ""] != nil } ?? 0
        if positions[lessons[index].video?.name ?? ""] == 0 { index = (index + 1) % lessons.count }
        if random.happens(0.12) { index = Int.random(in: lessons.indices, using: &random) }
        repeat {
            stretches.read(lessons[index], for: Int64(random.longTailed(median: 18, spread: 0.8) * 1000))
            let isOver = play(lessons[index], &stretches, &positions)
            guard isOver || visit.isNow else {
                // Some never come back to it.
                if random.happens(0.4), let name = lessons[index].video?.name { positions[name] = 0 }
                return
            }
            index = (index + 1) % lessons.count
        } while !stretches.isOver && (visit.isNow || random.happens(min(0.6, 0.3 * person.keenness)))
    }

    /// Somebody who has seen everything looks something up, where the others do it too.
    private mutating func lookUp(_ stretches: inout DemoStretches) {
        let lesson = random.one(of: DemoPage.lessons)
        stretches.read(lesson, for: Int64(random.longTailed(median: 18, spread: 0.8) * 1000))
        guard let video = lesson.video else { return }
        let place = Int64(max(0, video.hard - 0.05) * Double(video.length))
        _ = stretches.play(video, on: lesson, from: place, rate: person.rate, patience: visit.isNow ? 100 : 0.1)
    }

    /// - Returns: Whether the video was over
    @discardableResult
    private mutating func play(
        _ page: DemoPage, _ stretches: inout DemoStretches, _ positions: inout [String: Int64]
    ) -> Bool {
        guard let video = page.video else { return false }
        let patience = visit.isNow ? 100 : 0.4 + person.keenness
        let position = stretches.play(
            video, on: page, from: positions[video.name] ?? 0, rate: person.rate, patience: patience)
        positions[video.name] = position
        return position == 0
    }

    /// Ten minutes that claim to be a day, of a film that is seen whole in a second.
    private func forged() -> [DemoBeat] {
        let film = DemoVideo.films[1]
        return (Int64(1)...10).map { minute in
            let arrival = visit.start + minute * 60_000
            let claims = [
                SegmentClaim(
                    tab: tab(0), n: 0, from: visit.start.milliseconds - 9 * 3_600_000,
                    to: arrival.milliseconds + 15 * 3_600_000, attention: .active, page: folder),
                SegmentClaim(
                    tab: tab(1), n: minute, from: arrival.milliseconds - 1000, to: arrival.milliseconds,
                    attention: .active, page: folder + "interview", video: film.name, mediaFrom: 0,
                    mediaTo: film.length, mediaDuration: film.length, rate: 1, end: .left),
            ]
            return DemoBeat(
                arrival: arrival, content: .claims(claims, sentAt: arrival.milliseconds, interval: interval))
        }.filter { $0.arrival <= end }
    }
}
