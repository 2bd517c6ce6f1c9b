/// Prometheus's text format, version 0.0.4.
struct PrometheusText {
    static let mediaType = "text/plain; version=0.0.4; charset=utf-8"

    private(set) var text = ""

    mutating func gauge(_ name: String, _ help: String, labels: KeyValuePairs<String, String> = [:], _ value: Double) {
        begin(name, help, "gauge")
        sample(name, labels, value)
    }

    mutating func counter(_ name: String, _ help: String, _ value: Double) {
        begin(name, help, "counter")
        sample(name, [:], value)
    }

    /// A counter with one label.
    mutating func counters(_ name: String, _ help: String, by label: String, _ counts: [(kind: String, count: Int)]) {
        begin(name, help, "counter")
        for (kind, count) in counts { sample(name, [label: kind], Double(count)) }
    }

    mutating func histogram(_ name: String, _ help: String, _ histogram: Histogram) {
        begin(name, help, "histogram")
        let (atMost, all) = histogram.counts
        for (bound, count) in atMost { sample(name + "_bucket", ["le": "\(bound / .seconds(1))"], Double(count)) }
        sample(name + "_bucket", ["le": "+Inf"], Double(all))
        sample(name + "_sum", [:], histogram.seconds)
        sample(name + "_count", [:], Double(all))
    }

    private mutating func begin(_ name: String, _ help: String, _ kind: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind)\n"
    }

    /// No label of ours holds a character that would have to be escaped.
    private mutating func sample(_ name: String, _ labels: KeyValuePairs<String, String>, _ value: Double) {
        let list = labels.map { "\($0)=\"\($1)\"" }.joined(separator: ",")
        text += "\(name)\(list.isEmpty ? "" : "{\(list)}") \(value)\n"
    }
}
