// swift-tools-version:6.2

import PackageDescription

/// The checkout's folder names its package, and `package` declarations are for targets of that name.
let dwell = Context.packageDirectory.split(separator: "/").dropLast(2).last.map(String.init) ?? "dwell"

let package = Package(
    name: "micro",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(path: "../.."),
        // Without its traits it needs no jemalloc; what it counts of memory is not used here.
        .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []),
    ],
    targets: [
        .executableTarget(
            name: "Micro",
            dependencies: [
                .product(name: "Benchmark", package: "benchmark"),
                .product(name: "DwellServer", package: dwell),
            ],
            path: "Benchmarks/Micro",
            packageAccess: false,
            swiftSettings: [
                .unsafeFlags([
                    "-package-name", String(dwell.lowercased().map { $0.isLetter || $0.isNumber ? $0 : "_" }),
                ])
            ],
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]
        )
    ],
    swiftLanguageModes: [.v6]
)
