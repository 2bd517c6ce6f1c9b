import Foundation
import Testing

@testable import DwellServer

@Suite struct ReportCellTests {
    @Test func `a duration reads as Foundation writes it`() {
        for seconds: Int64 in [0, 1, 59, 60, 61, 3599, 3600, 35_999, 36_000, 3_599_999, 3_600_000, 59_835_300] {
            let expected = Duration.seconds(seconds).formatted(.time(pattern: .hourMinuteSecond))
            #expect(ReportCell.duration(seconds * 1000).readable == expected)
        }
        #expect(ReportCell.duration(412_499).readable == "0:06:52")
        #expect(ReportCell.duration(412_500).readable == "0:06:53")
    }
}
