import ArgumentParser
import Foundation

/// `dwell video`
struct VideoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "video", abstract: "What is set of videos.", subcommands: [Set.self])

    struct Set: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Set how long a video is, and when it is completed. Without options: what holds.",
            discussion: """
                The video is counted anew, which takes a moment. Players say how long a video is; set it where nobody must \
                be able to make it shorter.
                """)

        @OptionGroup var store: StoreOptions

        @Argument(help: "The video's name.")
        var name: String

        @Option(help: "How long it is, such as 12:34 or 754.5; default: as most people's players say.")
        var duration: String?

        @Option(help: "The part of it that must have been watched, such as 0.95; default: 0.9.")
        var completeAt: String?

        func run() async throws {
            guard BeatRules.isText(name, 1...255) else {
                throw InvalidField("the video", expected: "1 to 255 bytes, none of them 0")
            }
            let duration = try CommandOption.value(
                self.duration, "--duration", expected: "a time such as 12:34, 1:02:03 or 754.5", MediaTime.milliseconds)
            let completeAt = try CommandOption.value(
                self.completeAt, "--complete-at", expected: "a number above 0 and at most 1"
            ) { Double($0).flatMap { $0 > 0 && $0 <= 1 ? $0 : nil } }
            let open = try await store.open()
            let audience = try await Audience.noted(in: open.database, logger: open.logger)
            let setting = try await audience.set(name) { setting in
                if let duration { setting.duration = duration }
                if let completeAt { setting.completeAt = completeAt }
            }
            try await audience.fold()
            let length = setting.duration.map(MediaTime.text) ?? "as players say"
            let part = ReportCell.part(setting.completeAt ?? Video.completeAt).readable
            print("\(name): length: \(length); completed with \(part) of it")
            try open.database.close()
        }
    }
}
