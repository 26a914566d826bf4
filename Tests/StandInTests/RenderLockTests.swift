import Foundation
import Testing

@testable import StandIn

@Suite("One render at a time", .timeLimit(.minutes(60)))
struct RenderLockTests {
    /// So many steps that only an interrupt ends them.
    static let endless = #""width":8,"height":8,"steps":1000000"#
    static let short = #""width":8,"height":8,"steps":1"#

    @Test("in order of arrival, with the bytes as they came")
    func order() async throws {
        let caller = try Caller(stepTime: .milliseconds(1))
        var renders: [Task<Answer, any Error>] = []
        var bodies: [String] = []
        for number in 0..<8 {
            bodies.append(
                "{ \(number == 0 ? Self.endless : Self.short), \"prompt\" : \"\(number)\",\"seed\":1.50e1}")
            renders.append(Task { [body = bodies[number]] in try await caller.txt2img(body) })
            await caller.standIn.arrived(number + 1)
        }
        #expect(caller.standIn.requests.filter { $0.started != nil }.count == 1)
        #expect(try await caller.post("/sdapi/v1/interrupt").text == "{}")
        for render in renders { #expect(try await render.value.images.count == 1) }
        let requests = caller.standIn.requests
        #expect(requests.map { String(decoding: $0.body, as: UTF8.self) } == bodies)
        for (before, after) in zip(requests, requests.dropFirst()) {
            let ended = try #require(before.ended)
            let started = try #require(after.started)
            #expect(ended <= started)
        }
        await caller.standIn.stop()
    }

    @Test("an interrupt ends the running render with what there is, and says nothing but in the progress")
    func interrupt() async throws {
        let caller = try Caller(stepTime: .milliseconds(1))
        let render = Task {
            try await caller.txt2img("{\(Self.endless),\"n_iter\":4,\"seed\":42,\"save_images\":true}")
        }
        await caller.standIn.wait { $0.first?.started != nil }
        var progress = try await caller.progress()
        while progress.value("state", "sampling_step") == "0" { progress = try await caller.progress() }
        #expect(progress.value("state", "job") == "Batch 1 out of 4")
        #expect(progress.value("state", "job_count") == "4")
        #expect(progress.value("state", "sampling_steps") == "1000000")
        #expect(caller.standIn.progress > 0 && caller.standIn.progress < 1)
        _ = try await caller.post("/sdapi/v1/skip")
        while try await caller.progress().value("state", "job_no") == "0" {}
        _ = try await caller.post("/sdapi/v1/interrupt")
        let answer = try await render.value
        #expect(answer.status == 200)
        #expect(answer.images.count == 3)
        #expect(answer.info["all_seeds"] as? [Int] == [42, 43, 44, 45])
        #expect((answer.info["infotexts"] as? [String])?.count == 3)
        progress = try await caller.progress()
        #expect(progress.value("progress") == "0.0" || progress.value("progress") == "0")
        #expect(progress.text.contains(#""interrupted":true"#))
        #expect(try await caller.txt2img("{\(Self.short)}").images.count == 1)
        #expect(try await caller.progress().text.contains(#""interrupted":false"#))
        await caller.standIn.stop()
    }

    @Test("a preview comes with the progress, unless it is not wanted")
    func preview() async throws {
        let caller = try Caller(stepTime: .milliseconds(1))
        #expect(
            try await caller.get("/sdapi/v1/progress").text.contains(
                #""current_image":null,"textinfo":null}"#))
        let render = Task { try await caller.txt2img(#"{"width":64,"height":64,"steps":1000000}"#) }
        await caller.standIn.arrived(1)
        while try await caller.progress().value("state", "sampling_step") == "0" {}
        #expect(try await caller.progress().text.contains(#""current_image":null"#))
        let shown = try await caller.get("/sdapi/v1/progress").json["current_image"] as? String
        #expect(Taken(Array(Data(base64Encoded: shown ?? "") ?? Data()))?.width == 16)
        _ = try await caller.post("/sdapi/v1/interrupt")
        _ = try await render.value
        await caller.standIn.stop()
    }

    @Test("a render is found by its task's name: queued, active, completed; a failed one is active for ever")
    func tasks() async throws {
        let caller = try Caller(stepTime: .milliseconds(1))
        func state(_ task: String) async throws -> [String] {
            let answer = try await caller.post("/internal/progress", "{\"id_task\":\"\(task)\"}")
            return ["active", "queued", "completed"].filter { answer.text.contains("\"\($0)\":true") }
        }
        let first = Task { try await caller.txt2img("{\(Self.endless),\"force_task_id\":\"one\"}") }
        await caller.standIn.arrived(1)
        let second = Task { try await caller.txt2img("{\(Self.short),\"force_task_id\":\"two\"}") }
        await caller.standIn.arrived(2)
        #expect(try await state("one") == ["active"])
        #expect(try await state("two") == ["queued"])
        #expect(try await state("three") == [])
        #expect(try await caller.get("/internal/pending-tasks").text == #"{"size":1,"tasks":["two"]}"#)
        _ = try await caller.post("/sdapi/v1/interrupt")
        _ = try await (first.value, second.value)
        #expect(try await state("two") == ["completed"])
        _ = try await caller.txt2img("{\"steps\":0,\"force_task_id\":\"bad\"}")
        #expect(try await state("bad") == ["active"])
        await caller.standIn.stop()
    }

    @Test("a task's preview is a data URL, sent once to whom names the last one that he has seen")
    func taskPreview() async throws {
        let caller = try Caller(stepTime: .milliseconds(1))
        let render = Task {
            try await caller.txt2img(#"{"width":64,"height":64,"steps":1000000,"force_task_id":"one"}"#)
        }
        await caller.standIn.arrived(1)
        while try await caller.progress().value("state", "sampling_step") == "0" {}
        func preview(_ more: String) async throws -> Answer {
            try await caller.post("/internal/progress", "{\"id_task\":\"one\"\(more)}")
        }
        let first = try await preview("")
        #expect((first.json["live_preview"] as? String)?.hasPrefix("data:image/png;base64,iVBOR") == true)
        #expect(try #require(first.json["id_live_preview"] as? Int) > 0)
        #expect(
            try await preview(#","live_preview":false"#).text.contains(#""live_preview":null,"id_live_preview":-1"#))
        _ = try await caller.post("/sdapi/v1/interrupt")
        _ = try await render.value
        await caller.standIn.stop()
    }

    @Test("a ghost of a task that failed is active still when the same task is queued again behind another's work")
    func ghost() async throws {
        let caller = try Caller(stepTime: .milliseconds(1))
        _ = try await caller.txt2img("{\"steps\":0,\"force_task_id\":\"one\"}")
        let picture = try #require(try await caller.txt2img("{\(Self.short)}").json["images"] as? [String]).first ?? ""
        _ = try await caller.txt2img("{\"steps\":0,\"force_task_id\":\"one\"}")
        // Upscaling has no task, so the ghost stays the current one.
        let extras = Task {
            try await caller.post(
                "/sdapi/v1/extra-single-image",
                #"{"image":"\#(picture)","sketch":{"fault":"slow","seconds":3600}}"#)
        }
        await caller.standIn.wait { $0.last?.path.hasSuffix("image") == true && $0.last?.started != nil }
        let second = Task { try await caller.txt2img("{\(Self.short),\"force_task_id\":\"one\"}") }
        await caller.standIn.arrived(5)
        let state = try await caller.post("/internal/progress", #"{"id_task":"one"}"#).text
        #expect(state.contains(#""active":true,"queued":true"#))
        await caller.standIn.stop()
        _ = await (extras.result, second.result)
    }

    @Test("who hangs up does not stop the render; the next one waits for it")
    func disconnect() async throws {
        let caller = try Caller(stepTime: .milliseconds(1))
        let first = Task { try await caller.txt2img("{\(Self.endless)}") }
        await caller.standIn.wait { $0.first?.started != nil }
        first.cancel()
        await #expect(throws: (any Error).self) { try await first.value }
        let second = Task { try await caller.txt2img("{\(Self.short)}") }
        await caller.standIn.arrived(2)
        #expect(caller.standIn.requests[0].ended == nil)
        #expect(caller.standIn.requests[1].started == nil)
        _ = try await caller.post("/sdapi/v1/interrupt")
        #expect(try await second.value.images.count == 1)
        await caller.standIn.stop()
    }

    @Test("pictures are encoded after the lock was let go, so the next render has begun by then")
    func encoding() async throws {
        let caller = try Caller { $0.encodeTime = .seconds(3600) }
        let renders = (0..<2).map { _ in Task { try await caller.txt2img("{\(Self.short)}") } }
        await caller.standIn.wait { $0.count == 2 && $0.allSatisfy { $0.ended != nil } }
        await caller.standIn.stop()
        for render in renders { _ = await render.result }
    }

    @Test("a wait ends with its task, and a stop ends what is running and waiting")
    func ends() async throws {
        let caller = try Caller(stepTime: .milliseconds(1))
        let wait = Task { await caller.standIn.arrived(1_000_000) }
        wait.cancel()
        await wait.value
        let renders = (0..<3).map { _ in Task { try await caller.txt2img("{\(Self.endless)}") } }
        await caller.standIn.arrived(3)
        await caller.standIn.stop()
        for render in renders {
            await #expect(throws: (any Error).self) { try await render.value }
        }
    }
}
