import DwellAPI

/// A beat of the demo, as it comes to the server.
struct DemoBeat: Sendable {
    let arrival: Timestamp
    let content: Beat.Content
}

/// Tells of what was seen on a visit, as `dwell.js` does: often at first, then seldom, and when something ends; later,
/// when the network was away.
struct DemoScript {
    let visit: DemoVisit
    /// Nothing arrives later.
    let end: Timestamp
    /// The server's interval, in milliseconds.
    let interval: Int64
    /// How far the visitor's clock is off, in milliseconds.
    let skew: Int64
    /// How long the network takes, in milliseconds.
    let latency: Int64
    /// When there is no network, in milliseconds since the visit began.
    var offline: Range<Int64> = 0..<0
    /// How long after the visit the rest is told that could not be, in milliseconds.
    let later: Int64

    /// The beats of one tab.
    func beats(of stretches: [DemoStretch], tab: String) -> [DemoBeat] {
        var told = Told(script: self)
        for (n, stretch) in stretches.enumerated() {
            func claim(_ time: Int64, isOver: Bool = false) -> SegmentClaim {
                stretch.claim(tab: tab, n: n, until: time, isOver: isOver, clock: visit.start.milliseconds + skew)
            }
            var time = stretch.from
            while true {
                time += BeatPace.pause(after: [claim(time)], interval: interval)
                guard time < stretch.to else { break }
                told.tell([claim(time)], at: time)
            }
            // Whoever is here when the demo ends has told so a moment ago.
            let last = end.milliseconds - visit.start.milliseconds - 5000
            if visit.isNow, stretch.from < last, last < stretch.to { told.tell([claim(last)], at: last) }
            told.waiting.append(claim(stretch.to, isOver: true))
            switch stretch.ending {
            // Nobody is there to tell it, or there is no hurry.
            case .asleep, .lost, .attention, .rate, .sought: break
            default: told.tell([], at: stretch.to)
            }
        }
        if !told.waiting.isEmpty, let last = stretches.last {
            told.tell([], at: max(last.to, offline.upperBound) + later)
        }
        return told.beats
    }

    /// What has arrived, and what waits for it.
    private struct Told {
        let script: DemoScript
        var beats: [DemoBeat] = []
        /// Segments that have ended, and that the server has not confirmed.
        var waiting: [SegmentClaim] = []

        mutating func tell(_ open: [SegmentClaim], at time: Int64) {
            let sent = script.visit.start + time
            let arrival = sent + script.latency
            guard !script.offline.contains(time), arrival <= script.end else { return }
            beats.append(
                DemoBeat(
                    arrival: arrival,
                    content: .claims(
                        waiting + open, sentAt: sent.milliseconds + script.skew, interval: script.interval)))
            waiting = []
        }
    }
}
