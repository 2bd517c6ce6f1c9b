/// A page that people of the demo look at.
struct DemoPage {
    let path: String
    /// How many come to it, beside the others.
    let pull: Double
    /// How long half of them read at most, in seconds.
    let reading: Double
    /// What plays on it.
    var video: DemoVideo?

    /// What lies behind a gate, in its folder: the first page is where everybody comes in.
    static func behind(_ folder: String) -> [DemoPage] {
        [
            DemoPage(path: folder, pull: 1, reading: 45),
            DemoPage(path: folder + "ferry", pull: 0.8, reading: 95),
            DemoPage(path: folder + "mill", pull: 0.55, reading: 140),
            DemoPage(path: folder + "seeds", pull: 0.35, reading: 60),
            DemoPage(path: folder + "handover", pull: 0.3, reading: 35),
            DemoPage(path: folder + "prices", pull: 0.7, reading: 75),
            DemoPage(path: folder + "terms", pull: 0.08, reading: 20),
            DemoPage(path: folder + "film", pull: 0.5, reading: 15, video: DemoVideo.films[0]),
            DemoPage(path: folder + "interview", pull: 0.2, reading: 20, video: DemoVideo.films[1]),
        ]
    }

    /// Where people with an account go first.
    static let course = DemoPage(path: "/course/", pull: 1, reading: 25)

    /// The pages of the lessons, in their order.
    static let lessons: [DemoPage] = DemoVideo.lessons.map { video in
        DemoPage(path: "/course/\(video.name)", pull: 1, reading: 20, video: video)
    }
}

/// A video of the demo.
struct DemoVideo {
    let name: String
    /// In milliseconds.
    let length: Int64
    /// How many of those who have begun leave in each of its minutes.
    let leaving: Double
    /// The part of it at which many leave.
    let dull: Double
    /// The part of it that many see again.
    let hard: Double

    private init(_ name: String, _ minutes: Int64, _ seconds: Int64, leaving: Double, dull: Double, hard: Double) {
        self.name = name
        length = (minutes * 60 + seconds) * 1000
        self.leaving = leaving
        self.dull = dull
        self.hard = hard
    }

    /// Those of the course, in their order.
    static let lessons = [
        DemoVideo("01-welcome", 2, 10, leaving: 0.1, dull: 0.8, hard: 0.4),
        DemoVideo("02-first-steps", 8, 45, leaving: 0.06, dull: 0.3, hard: 0.62),
        DemoVideo("03-tools", 14, 20, leaving: 0.07, dull: 0.45, hard: 0.2),
        DemoVideo("04-measuring", 19, 5, leaving: 0.05, dull: 0.7, hard: 0.35),
        DemoVideo("05-drawing-plans", 26, 40, leaving: 0.06, dull: 0.5, hard: 0.66),
        DemoVideo("06-joints", 33, 0, leaving: 0.04, dull: 0.15, hard: 0.55),
        DemoVideo("07-glue-and-clamps", 11, 30, leaving: 0.06, dull: 0.6, hard: 0.25),
        DemoVideo("08-finishing", 22, 15, leaving: 0.04, dull: 0.85, hard: 0.5),
        DemoVideo("09-repairs", 41, 50, leaving: 0.06, dull: 0.35, hard: 0.72),
        DemoVideo("10-questions", 58, 0, leaving: 0.08, dull: 0.25, hard: 0.6),
    ]

    /// Those behind the gates.
    static let films = [
        DemoVideo("film", 1, 35, leaving: 0.24, dull: 0.3, hard: 0.8),
        DemoVideo("interview", 6, 25, leaving: 0.2, dull: 0.5, hard: 0.15),
    ]
}
