// swift-tools-version: 6.3
import PackageDescription

// Arrows run downward only: sdspool → AgentScheduler → Gateway → Daemon → {Page → Spool, A1111} → A1111API → {JSONText, Linux};
// {Gateway, A1111, StandIn} → {HTTP, JSONText} → Linux.
let package = Package(
    name: "sdspool",
    products: [.executable(name: "sdspool", targets: ["sdspool"])],
    targets: [
        .target(name: "CLinux"),
        .target(name: "Linux", dependencies: ["CLinux"]),
        .target(name: "JSONText"),
        .target(name: "A1111API", dependencies: ["JSONText"]),
        .target(name: "Spool", dependencies: ["A1111API", "Linux", "JSONText"]),
        .target(name: "A1111", dependencies: ["A1111API", "HTTP", "Linux", "JSONText"]),
        .target(name: "Page", dependencies: ["Spool", "JSONText", "Linux"]),
        .target(name: "Daemon", dependencies: ["Spool", "A1111", "A1111API", "Page", "Linux"]),
        .target(
            name: "Gateway",
            dependencies: ["Daemon", "HTTP", "Page", "Spool", "A1111", "A1111API", "JSONText", "Linux"]),
        .target(
            name: "AgentScheduler",
            dependencies: ["Gateway", "HTTP", "Spool", "A1111", "A1111API", "JSONText", "Linux"]),
        .target(name: "HTTP", dependencies: ["Linux"]),
        .target(name: "StandIn", dependencies: ["HTTP", "JSONText", "Linux"]),
        .executableTarget(
            name: "sdspool",
            dependencies: ["AgentScheduler", "Daemon", "Gateway", "A1111", "A1111API", "Spool", "Linux", "StandIn"]),
        .executableTarget(name: "Benchmark", dependencies: ["HTTP"]),
        // What the tests of several modules share.
        .target(name: "TestSupport", path: "Tests/TestSupport"),
        .testTarget(name: "JSONTextTests", dependencies: ["JSONText"]),
        .testTarget(
            name: "SDSpoolTests",
            dependencies: ["sdspool", "Daemon", "A1111", "A1111API", "Linux", "StandIn", "HTTP", "TestSupport"],
            exclude: ["Upgrade"]),
        .testTarget(
            name: "GatewayTests", dependencies: ["Gateway", "A1111", "A1111API", "HTTP", "Spool", "JSONText", "Linux"]),
        .testTarget(name: "HTTPTests", dependencies: ["HTTP", "Linux"]),
        .testTarget(name: "StandInTests", dependencies: ["StandIn"]),
        .testTarget(name: "LinuxTests", dependencies: ["Linux", "TestSupport"]),
        .testTarget(name: "A1111APITests", dependencies: ["A1111API"]),
        .testTarget(name: "SpoolTests", dependencies: ["Spool", "Linux", "JSONText", "TestSupport"]),
        .testTarget(
            name: "A1111Tests",
            dependencies: ["A1111", "A1111API", "JSONText", "Linux", "HTTP", "StandIn", "TestSupport"],
            exclude: ["Fixtures"]),
        .testTarget(name: "PageTests", dependencies: ["Page", "Spool", "Linux"]),
        // The fuzzer's code is a test, so that nobody who builds sdspool builds it, and it may see what is internal.
        .testTarget(
            name: "FuzzTests",
            dependencies: [
                "AgentScheduler", "Gateway", "A1111", "A1111API", "HTTP", "Spool", "JSONText", "Linux", "TestSupport",
            ]),
        .testTarget(name: "DaemonTests", dependencies: ["Daemon", "A1111", "A1111API", "Spool", "Linux", "JSONText"]),
    ],
    swiftLanguageModes: [.v6]
)
