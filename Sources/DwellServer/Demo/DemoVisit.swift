import DwellAPI
import Foundation

/// A visit of somebody of the demo: when, and with what.
struct DemoVisit: Sendable {
    let person: Int
    /// Which of the person's devices.
    let device: Int
    /// Which of the person's visits, from 0.
    let number: Int
    let start: Timestamp
    /// Whether it goes on at the end of the demo.
    var isNow = false

    /// All visits of everybody, the first one first.
    static func all(of people: [DemoPerson], in calendar: DemoCalendar, seed: UInt64) -> [DemoVisit] {
        var visits = people.flatMap { Self.visits(of: $0, in: calendar, seed: seed) }
        visits += now(people, in: calendar, seed: seed)
        return visits.sorted { ($0.start, $0.person, $0.number) < ($1.start, $1.person, $1.number) }
    }

    private static func visits(of person: DemoPerson, in calendar: DemoCalendar, seed: UInt64) -> [DemoVisit] {
        var random = DemoRandom(seed: seed, strand: UInt64(1_000_000 + person.number))
        let days = Array(calendar.range)
        let atWork = person.door != .account
        // More come from week to week. Who stands for something has all of the time for it.
        let first = person.role == .nobody ? days[Int(pow(random.part(), 0.8) * Double(days.count))] : days[0]
        var times: [Timestamp] = []
        for day in first...calendar.range.upperBound {
            let wish =
                (atWork ? 0.12 : 0.38) * person.keenness * calendar.weight(of: day, atWork: atWork)
                / (1 + Double(day - first) / 12)
            guard day == first || random.happens(min(wish, 0.95)) else { continue }
            times.append(calendar.time(on: day, atWork: atWork, &random))
            if random.happens(0.15) { times.append(calendar.time(on: day, atWork: atWork, &random)) }
        }
        if person.role == .forger { times = [calendar.end - 40 * 60_000] }
        // What the operator did to them is to be seen: they come again.
        if [.disabled, .revoked].contains(person.role) { times.append(calendar.end - 30 * 3_600_000) }
        // Whoever came a minute before the end has seen nothing yet.
        times = times.filter { $0 < calendar.end - 60_000 }.sorted()
        if times.isEmpty { times = [calendar.time(on: calendar.range.upperBound - 1, atWork: atWork, &random)] }
        return times.enumerated().map { number, time in
            DemoVisit(
                person: person.number, device: device(of: person, visit: number, &random), number: number, start: time)
        }
    }

    private static func device(of person: DemoPerson, visit: Int, _ random: inout DemoRandom) -> Int {
        // One after the other first, so that the last one finds no place.
        if person.role == .atDeviceLimit { return visit % person.devices.count }
        return random.place(in: person.devices.indices.map { 1 / Double(1 + $0) })
    }

    /// Those who are here when the demo ends.
    private static func now(_ people: [DemoPerson], in calendar: DemoCalendar, seed: UInt64) -> [DemoVisit] {
        var random = DemoRandom(seed: seed, strand: 3_000_000)
        let ordinary = people.filter { $0.role == .nobody }.map(\.number)
        let count = min(ordinary.count, max(3, people.count / 250))
        return ordinary.shuffled(using: &random).prefix(count).map { person in
            DemoVisit(
                person: person, device: 0, number: 100_000, start: calendar.end - random.seconds(90...840),
                isNow: true)
        }
    }
}
