// Is it ours that runs, and was it stopped?

import Foundation
import JSONText
import Testing

@testable import A1111

@Suite("A render at a server with one state for all") struct RenderIdentityTests {
    /// What a server tells that is at a render that began at `began`; `nil` for a server that is idle.
    private static func progress(_ began: String?, _ more: String = "") throws -> ServerProgress {
        let state = began.map { #""job": "scripts_txt2img", "job_timestamp": "\#($0)""# } ?? #""job": """#
        let text = """
            {"progress": 0.1, "eta_relative": 1, "state": {\(state), "sampling_step": 0, "sampling_steps": 1,
            "interrupted": false\(more)}}
            """
        return try JSONDecoder().decode(ServerProgress.self, from: Data(text.utf8))
    }

    static let tasks: [(active: Bool, queued: Bool, expected: RenderState)] = [
        (false, false, .unknown), (false, true, .waiting), (true, false, .running),
        // The ghost of an attempt that failed.
        (true, true, .waiting),
    ]

    @Test("is found by its task, unless a ghost has the same name", arguments: tasks)
    func task(row: (active: Bool, queued: Bool, expected: RenderState)) throws {
        let text = #"{"active": \#(row.active), "queued": \#(row.queued), "completed": false, "progress": null}"#
        #expect(try JSONDecoder().decode(TaskState.self, from: Data(text.utf8)).renderState == row.expected)
    }

    @Test("is the first one behind an idle server, and no other")
    func identity() throws {
        var identity = RenderIdentity(before: try Self.progress(nil))
        #expect(identity.leads)
        #expect(identity.renderState(try Self.progress(nil)) == .unknown)
        #expect(identity.renderState(try Self.progress("1")) == .running)
        #expect(identity.renderState(try Self.progress("1")) == .running)
        #expect(identity.renderState(try Self.progress("2")) == .unknown)
    }

    @Test("is not told from others where the server was at work before, was not asked, or tells no times")
    func lost() throws {
        for before in [try Self.progress("0"), nil] {
            var identity = RenderIdentity(before: before)
            #expect(!identity.leads)
            #expect(identity.renderState(try Self.progress("1")) == .unknown)
        }
        let text =
            #"{"progress": 0.1, "eta_relative": 0, "state": {"job": "x", "sampling_step": 1, "#
            + #""sampling_steps": 2, "interrupted": false, "job_no": "?", "job_timestamp": 7}}"#
        var identity = RenderIdentity(before: try Self.progress(nil))
        let odd = try JSONDecoder().decode(ServerProgress.self, from: Data(text.utf8))
        #expect(odd.state.job_no == nil)
        #expect(identity.renderState(odd) == .unknown)
    }

    static let flags: [(state: String, began: String?, expected: RenderStop?)] = [
        (#""interrupted": false, "skipped": false, "job_timestamp": "1""#, "1", nil),
        (#""interrupted": true, "skipped": false, "job_timestamp": "1""#, "1", .interrupted),
        (#""interrupted": false, "skipped": true, "job_timestamp": "1""#, "1", .skipped),
        // Somebody else's, who came later.
        (#""interrupted": true, "skipped": true, "job_timestamp": "2""#, "1", nil),
        // A server that tells no times is believed.
        (#""interrupted": true"#, "1", .interrupted),
        (#""interrupted": true, "job_timestamp": "2""#, nil, .interrupted),
    ]

    @Test("was stopped where the flags of its own time say so", arguments: flags)
    func stopped(row: (state: String, began: String?, expected: RenderStop?)) throws {
        let text = #"{"job": "", "sampling_step": 0, "sampling_steps": 0, \#(row.state)}"#
        let state = try JSONDecoder().decode(ServerProgress.State.self, from: Data(text.utf8))
        #expect(state.stop(of: row.began) == row.expected)
    }

    static let counts: [(body: String, info: String, came: Int, expected: RenderStop?)] = [
        (#"{"n_iter": 3}"#, #"{"job_timestamp": "1"}"#, 3, nil),
        (#"{"n_iter": 3, "batch_size": 2}"#, #"{"job_timestamp": "1"}"#, 4, .interrupted),
        (#"{"n_iter": 3}"#, "{}", 2, nil),
        (#"{"n_iter": 3, "script_name": "X/Y/Z plot"}"#, #"{"job_timestamp": "1"}"#, 2, nil),
        (#"{"n_iter": 3, "alwayson_scripts": {"dynamic": {}}}"#, #"{"job_timestamp": "1"}"#, 2, nil),
        (#"{"n_iter": 3, "alwayson_scripts": {}}"#, #"{"job_timestamp": "1"}"#, 2, .interrupted),
        (#"{"n_iter": 3, "enable_hr": true, "hr_resize_x": 8}"#, #"{"job_timestamp": "1"}"#, 2, .interrupted),
        // None were wanted.
        (#"{"n_iter": 3, "send_images": false}"#, #"{"job_timestamp": "1"}"#, 0, nil),
    ]

    @Test("was stopped where A1111 sends fewer pictures and no script had a say in it", arguments: counts)
    func count(row: (body: String, info: String, came: Int, expected: RenderStop?)) throws {
        let pictures = (0..<row.came).map {
            Picture(
                file: "x-\($0).png", kind: .picture, format: .png, size: 1, width: nil, height: nil, seed: nil,
                subseed: nil, infotext: nil)
        }
        let reply = Reply(
            status: 200, headers: [:], pictures: pictures, text: Data(#"{"info": \#(row.info)}"#.utf8), unsynced: [])
        let asked = RequestedRender(try ObjectText(Data(row.body.utf8)), of: .txt2img)
        #expect(asked.stop(reply, states: []) == row.expected)
    }

    @Test("shows a preview that is a picture, with the head of a data URL or without")
    func preview() throws {
        let png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"
        #expect(Preview(png)?.format == .png)
        #expect(Preview("data:image/png;base64,\(png)") == Preview(png))
        #expect(Preview("UklGRhoAAABXRUJQVlA4TA0AAAA=")?.format.suffix == "webp")
        for text in ["", "data:", "not base64", "R0lGODlhAQABAAAAACw=", "data:text/html,<p>"] {
            #expect(Preview(text) == nil, "\(text)")
        }
        #expect(Preview(png + String(repeating: "A", count: 8 << 20)) == nil)
    }

    static let places: [(body: String, number: Int, count: Int, expected: [Int]?)] = [
        (#"{"n_iter": 4}"#, 1, 4, [2, 4]), (#"{"n_iter": 4, "batch_size": 2}"#, 1, 4, [3, 8]),
        // Of one batch there is nothing to tell, and before the model is loaded nothing is known.
        (#"{"batch_size": 4}"#, 0, 1, nil), (#"{"n_iter": 4}"#, 0, -1, nil), (#"{"n_iter": 4}"#, 4, 4, nil),
        // Two passes a picture.
        (#"{"n_iter": 2, "enable_hr": true}"#, 1, 4, nil), (#"{"n_iter": 4, "batch_size": 0}"#, 1, 4, nil),
        (#"{"n_iter": 4, "script_name": "x"}"#, 1, 4, nil),
    ]

    @Test("is at a picture of several where the server counts these", arguments: places)
    func place(row: (body: String, number: Int, count: Int, expected: [Int]?)) throws {
        let asked = RequestedRender(try ObjectText(Data(row.body.utf8)), of: .txt2img)
        let state = try Self.progress("1", #", "job_no": \#(row.number), "job_count": \#(row.count)"#).state
        #expect(asked.place(of: state).map { [$0.picture, $0.pictures] } == row.expected)
    }
}
