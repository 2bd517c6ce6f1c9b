import Foundation

/// Numbers that look random and are the same whenever the seed is.
struct DemoRandom: RandomNumberGenerator {
    private var state: UInt64

    /// - Parameters:
    ///   - seed: What was asked for
    ///   - strand: One of many sequences that have nothing to do with each other
    init(seed: UInt64, strand: UInt64 = 0) {
        state = seed
        state = next() &+ strand &* 0xD1B5_4A32_D192_ED03
    }

    /// SplitMix64.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// From 0 up to 1.
    mutating func part() -> Double { Double.random(in: 0..<1, using: &self) }

    /// Whether something happens that happens so often.
    mutating func happens(_ probability: Double) -> Bool { part() < probability }

    /// A length of time in milliseconds, from seconds.
    mutating func seconds(_ range: ClosedRange<Double>) -> Int64 {
        Int64(Double.random(in: range, using: &self) * 1000)
    }

    /// A number that is half of the time above its median, and now and then far above it.
    mutating func longTailed(median: Double, spread: Double) -> Double {
        let radius = (-2 * log(1 - part())).squareRoot()
        return median * exp(spread * radius * cos(2 * .pi * part()))
    }

    /// A place in a list of weights.
    mutating func place(in weights: [Double]) -> Int {
        var rest = part() * weights.reduce(0, +)
        for (index, weight) in weights.enumerated() {
            rest -= weight
            if rest < 0 { return index }
        }
        return weights.count - 1
    }

    /// One of a list that has something in it.
    mutating func one<Element>(of list: [Element]) -> Element {
        list[Int.random(in: 0..<list.count, using: &self)]
    }
}
