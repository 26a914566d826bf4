// Anything else that the server can do: passed on, and answered 418.

import Foundation
import HTTP
import StandIn
import Testing

@Suite(.witnessed) struct ReverseProxyTests {
    private static let long = smallJob().replacing(#""steps": 1"#, with: #""steps": 100000"#)
    private static let query = #"{"sdspool": {"endpoint": "/sdapi/v1/samplers"}}"#

    @Test("a query does not wait behind a render, unless it says that it does")
    func overtakes() async throws {
        let standIn = try StandIn.start(options: .init(stepTime: .milliseconds(100)))
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: standIn.url)
        try spool.drop("long", Self.long)
        await standIn.arrived(1)
        try spool.drop("patient", #"{"sdspool": {"endpoint": "/sdapi/v1/samplers", "wait": true}}"#)
        try await daemon.says("accepted", ".patient")
        try spool.drop("quick", Self.query)
        try await daemon.says("done quick")
        #expect(try await daemon.stop() == 0)
        #expect(spool.list("queue").count == 2)
        #expect(spool.list("done") == ["quick"])
        await standIn.stop()
    }

    @Test("a query is found again among the jobs of an earlier life, and among those that were held")
    func foundAgain() async throws {
        let standIn = try StandIn.start(options: .init(stepTime: .milliseconds(100)))
        let spool = try TestSpool()
        try Data().write(to: spool.path("PAUSE"))
        let first = try await spool.daemon(server: standIn.url)
        for (name, text) in [("long", Self.long), ("quick", Self.query), ("held", Self.query)] {
            try spool.drop(name, text)
            try await first.says("accepted", ".\(name)")
        }
        #expect(try await first.stop() == 0)
        let held = try #require(spool.list("queue").last)
        try FileManager.default.moveItem(at: spool.path("queue/\(held)"), to: spool.path("hold/\(held)"))
        let second = try await spool.daemon(server: standIn.url)
        try FileManager.default.removeItem(at: spool.path("PAUSE"))
        await standIn.arrived(1)
        try await second.says("done quick")
        try FileManager.default.moveItem(at: spool.path("hold/\(held)"), to: spool.path("queue/\(held)"))
        try await second.says("done held")
        #expect(spool.list("active").count == 1)
        #expect(try await second.stop() == 0)
        await standIn.stop()
    }

    @Test("what stops the server is passed on only by a daemon that was told so")
    func control() async throws {
        let standIn = try StandIn.quick()
        let kill = #"{"sdspool": {"endpoint": "/sdapi/v1/server-kill", "method": "POST"}}"#
        let careful = try TestSpool()
        let first = try await careful.daemon(server: standIn.url)
        try careful.drop("kill", kill)
        try await first.says("failed kill", "--allow-control")
        #expect(try await first.stop() == 0)
        let bold = try TestSpool()
        let second = try await bold.daemon(server: standIn.url, "--allow-control")
        try bold.drop("kill", kill)
        // The stand-in has no such path, and it was asked.
        try await second.says("failed kill", "the server has no /sdapi/v1/server-kill")
        #expect(try await second.stop() == 0)
        await standIn.stop()
    }

    @Test("a path that the server does not list fails at once, with the nearest that it has")
    func slip() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: standIn.url)
        try spool.drop("slip", #"{"sdspool": {"endpoint": "/sdapi/v1/sample", "method": "POST"}, "x": 1}"#)
        try await daemon.says("failed slip", "no /sdapi/v1/sample;", "/sdapi/v1/samplers")
        try spool.drop("method", #"{"sdspool": {"endpoint": "/sdapi/v1/samplers", "method": "POST"}, "x": 1}"#)
        try await daemon.says("failed method", "takes GET for /sdapi/v1/samplers, and not POST")
        #expect(try await daemon.stop() == 0)
        #expect(try (spool.document("failed/slip/error.json")["attempts"] as? [Any])?.isEmpty == true)
        await standIn.stop()
    }

    @Test("a service that the server does not list fails its job at once, and holds up no other")
    func missingService() async throws {
        let bare = try BareServer { path in
            switch path {
            case "/openapi.json": #"{"paths": {"/sdapi/v1/txt2img": {"post": {}}}}"#
            case "/sdapi/v1/txt2img": BareServer.picture
            default: nil
            }
        }
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: bare.url)
        try spool.drop("large", #"{"image": "x", "upscaler_1": "Lanczos"}"#)
        try await daemon.says("failed large: the server has no /sdapi/v1/extra-single-image")
        try spool.drop("small", smallJob())
        try await daemon.says("done small")
        #expect(try await daemon.stop() == 0)
        await bare.server.stop()
    }

    @Test("pictures in an answer become files, and its errors keep their status and body")
    func answers() async throws {
        let picture = try Data(contentsOf: Self.fixture("demo.png"))
        let server = try Server.own { request in
            switch request.path {
            case "/controlnet/detect":
                let body = #"{"info": "ok", "images": ["\#(picture.base64EncodedString())"], "n": 1.50}"#
                return Response(
                    status: 200, headers: ["Content-Type": "application/json"], body: .bytes(Array(body.utf8)))
            default:
                return Response(
                    status: 418, headers: ["Content-Type": "application/json"],
                    body: .bytes(Array(#"{"detail": "no"}"#.utf8)))
            }
        }
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: "http://127.0.0.1:\(server.port)")
        try spool.drop("map", #"{"image": "x", "sdspool": {"endpoint": "/controlnet/detect"}}"#)
        try spool.drop("other", #"{"sdspool": {"endpoint": "/else", "method": "POST"}}"#)
        try await daemon.says("done map: 1 picture")
        try await daemon.says("failed other")
        #expect(try await daemon.stop() == 0)
        #expect(try Data(contentsOf: spool.path("done/map/map-1.png")) == picture)
        let result = try String(contentsOf: spool.path("done/map/result.json"), encoding: .utf8)
        #expect(result.contains(#""body": {"info": "ok", "images": ["map-1.png"], "n": 1.50}"#))
        let error = try spool.document("failed/other/error.json")
        #expect(error["status"] as? Int == 418)
        #expect((error["answer"] as? [String: Any])?["detail"] as? String == "no")
        await server.stop()
    }

    private static func fixture(_ name: String) -> URL {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("../../examples/pictures/\(name)").standardizedFileURL
    }
}
