// Agent Scheduler's routes, as programs that were written for it ask for them.

import Foundation
import HTTP
import StandIn
import Synchronization
import TestSupport
import Testing

private let root = "/agent-scheduler/v1"

extension Visitor {
    fileprivate func queue(_ body: String, as kind: String = "txt2img") async throws -> String {
        let answer = try await post("\(root)/queue/\(kind)", body)
        #expect(answer.status == 200, "\(answer.text)")
        #expect(Array(answer.json.keys) == ["task_id"])
        return try #require(answer.json["task_id"] as? String)
    }

    /// What `message` says; `success` is as expected.
    fileprivate func says(
        _ isSuccess: Bool, _ method: String, _ path: String, location: SourceLocation = #_sourceLocation
    ) async throws -> String {
        let answer = try await call(method, "\(root)\(path)")
        #expect(answer.status == 200, "\(answer.text)", sourceLocation: location)
        #expect(Set(answer.json.keys) == ["success", "message"], "\(answer.text)", sourceLocation: location)
        #expect(answer.json["success"] as? Bool == isSuccess, "\(answer.text)", sourceLocation: location)
        return answer.json["message"] as? String ?? ""
    }

    fileprivate func pending(_ query: String = "") async throws -> [[String: Any]] {
        try #require(try await get("\(root)/queue\(query)").json["pending_tasks"] as? [[String: Any]])
    }

    fileprivate func data(_ path: String) async throws -> [String: Any] {
        let answer = try await get("\(root)\(path)")
        #expect(answer.json["success"] as? Bool == true, "\(answer.text)")
        return try #require(answer.json["data"] as? [String: Any])
    }

    /// Returns when the task has ended, and what it says then.
    fileprivate func end(of id: String) async throws -> [String: Any] {
        _ = try await call("GET", "/spool/v1/jobs/\(id)", headers: ["Prefer": "wait=3600"])
        return try await data("/task/\(id)")
    }
}

private let keys: Set<String> = [
    "id", "api_task_id", "api_task_callback", "name", "type", "status", "params", "priority", "position", "result",
    "bookmarked", "created_at", "updated_at",
]

@Suite(.witnessed) struct AgentSchedulerTests {
    @Test("a task is queued with its checkpoint and VAE, rendered as it was written, and shown in all of its keys")
    func task() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let (daemon, visitor) = try await spool.gateway(server: standIn.url)
        let settings = #""override_settings": {"CLIP_stop_at_last_layers": 2}, "cfg_scale": 7.10"#
        let id = try await visitor.queue(
            smallJob(#""seed": 9007199254740993, "checkpoint": "6ce0161689", "vae": "None", \#(settings)"#))
        let task = try await visitor.end(of: id)
        #expect(Set(task.keys) == keys)
        #expect(task["id"] as? String == id)
        #expect(task["status"] as? String == "done")
        #expect(task["type"] as? String == "txt2img")
        for key in ["api_task_id", "api_task_callback", "name", "position"] { #expect(task[key] is NSNull) }
        #expect(task["bookmarked"] as? Bool == false)
        #expect((task["priority"] as? Int).map { $0 > 1_600_000_000_000 } == true)
        let moment = /20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00/
        for key in ["created_at", "updated_at"] {
            #expect((task[key] as? String)?.wholeMatch(of: moment) != nil, "\(key): \(task[key] ?? "nothing")")
        }
        let params = try #require(task["params"] as? [String: Any])
        #expect(params["checkpoint"] as? String == "6ce0161689")
        #expect(params["prompt"] as? String == "a cat")
        #expect(params["sdspool"] == nil && params["vae"] == nil)
        #expect(params["sampler_index"] as? String == "Euler", "what was left to the server, as the server says it")
        let result = try #require((task["result"] as? String).map { Data($0.utf8) })
        let inside = try #require(try JSONSerialization.jsonObject(with: result) as? [String: Any])
        #expect(inside["images"] as? [String] == [spool.path("done/\(id)/\(id)-1.png").path])
        #expect((inside["infotexts"] as? [String])?.first?.hasPrefix("a cat") == true)
        #expect((inside["geninfo"] as? [String: Any])?["seed"] as? Int == 9_007_199_254_740_993)
        let body = try #require(standIn.requests.map { String(decoding: $0.body, as: UTF8.self) }.first)
        #expect(body.contains(#""seed": 9007199254740993,"#) && body.contains(#""cfg_scale": 7.10"#))
        #expect(!body.contains("sdspool\"") && !body.contains(#""checkpoint""#) && !body.contains(#""vae""#))
        for setting in [
            #""sd_model_checkpoint": "6ce0161689""#, #""sd_vae": "None""#, #""CLIP_stop_at_last_layers": 2"#,
        ] { #expect(body.contains(setting), "\(body)") }
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }

    @Test(
        "an id can be put into a URL as it is, whatever the prompt, and a task has pictures, whatever is asked",
        arguments: [("日本語 é", "txt2img-"), ("un café ☕", "un-caf-"), ("", "txt2img-")])
    func ids(prompt: String, start: String) async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let (daemon, visitor) = try await spool.gateway(server: standIn.url)
        let job = smallJob(#""send_images": false"#).replacing("a cat", with: prompt)
        let id = try await visitor.queue(job)
        #expect(id.hasPrefix(start) && id.wholeMatch(of: /[A-Za-z0-9-]+/) != nil, "\(id)")
        _ = try await visitor.end(of: id)
        let data = try await visitor.get("\(root)/task/\(id)/results").json["data"] as? [[String: Any]]
        #expect(data?.count == 1 && data?[0]["infotext"] is String)
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }

    @Test("pictures come with their words, whole, and a task that is not done has none")
    func results() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let (daemon, visitor) = try await spool.gateway(server: standIn.url)
        let id = try await visitor.queue(smallJob(#""batch_size": 2"#))
        _ = try await visitor.end(of: id)
        for path in ["/task/\(id)/results", "/results/\(id)"] {
            let answer = try await visitor.get("\(root)\(path)")
            #expect(answer.json["success"] as? Bool == true)
            let data = try #require(answer.json["data"] as? [[String: Any]])
            #expect(data.count == 2)
            for (index, picture) in data.enumerated() {
                #expect(Set(picture.keys) == ["image", "infotext"])
                let image = try #require(picture["image"] as? String)
                #expect(image.hasPrefix("data:image/png;base64,"))
                let file = try Data(contentsOf: spool.path("done/\(id)/\(id)-\(index + 1).png"))
                #expect(Data(base64Encoded: String(image.drop { $0 != "," }.dropFirst())) == file)
                #expect((picture["infotext"] as? String)?.hasPrefix("a cat\n") == true)
            }
        }
        #expect(try await visitor.says(false, "GET", "/task/\(id)/results?zip=true").contains("no zip"))
        let failing = try await visitor.queue(#"{"steps": "many"}"#)
        #expect(try await visitor.end(of: failing)["status"] as? String == "failed")
        #expect(try await visitor.says(false, "GET", "/task/\(failing)/results") == "Task is failed")
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }

    @Test("a task that becomes many has no pictures of its own, and says whose results there are")
    func matrix() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let (daemon, visitor) = try await spool.gateway(server: standIn.url)
        let id = try await visitor.queue(smallJob(#""sdspool": {"matrix": {"seed": [1, 2]}}"#))
        _ = try await visitor.end(of: id)
        #expect(try await visitor.says(false, "GET", "/task/\(id)/results").contains("\(id)-001 to \(id)-002"))
        #expect(try await visitor.end(of: "\(id)-002")["status"] as? String == "done")
        let data = try await visitor.get("\(root)/task/\(id)-002/results").json["data"] as? [Any]
        #expect(data?.count == 1)
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }

    @Test("the queue is told page by page, numbered, with milliseconds, and paused or not")
    func queue() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let (daemon, visitor) = try await spool.gateway(server: standIn.url)
        let empty = try await visitor.get("\(root)/queue")
        #expect(empty.json["current_task_id"] is NSNull)
        #expect(empty.json["total_pending_tasks"] as? Int == 0)
        #expect(empty.json["paused"] as? Bool == false)
        #expect(try await visitor.says(true, "POST", "/queue/pause") == "Queue paused.")
        try await daemon.says("paused")
        var ids: [String] = []
        for _ in 0..<22 { ids.append(try await visitor.queue(smallJob())) }
        let picture = String(repeating: "A", count: 100_000)
        let redrawn = try await visitor.queue(
            #"{"prompt": "x", "init_images": ["\#(picture)"], "mask": "\#(picture)"}"#, as: "img2img")
        ids.append(redrawn)
        let answer = try await visitor.get("\(root)/queue")
        #expect(Set(answer.json.keys) == ["current_task_id", "pending_tasks", "total_pending_tasks", "paused"])
        #expect(answer.json["paused"] as? Bool == true)
        #expect(answer.json["total_pending_tasks"] as? Int == 23)
        let first = try await visitor.pending()
        #expect(first.compactMap { $0["id"] as? String } == Array(ids.prefix(20)))
        #expect(first.map { $0["position"] as? Int } == Array(0..<20))
        for task in first {
            #expect(Set(task.keys) == keys)
            #expect(task["status"] as? String == "pending")
            #expect((task["created_at"] as? Int).map { $0 > 1_600_000_000_000 } == true)
            #expect(task["result"] is NSNull)
        }
        let rest = try await visitor.pending("?limit=2&offset=21")
        #expect(rest.compactMap { $0["id"] as? String } == Array(ids.suffix(2)))
        #expect(rest.map { $0["position"] as? Int } == [21, 22])
        #expect(rest.last?["type"] as? String == "img2img")
        #expect(rest.last.map { "\($0)".utf8.count < 5000 } == true)
        #expect(try await visitor.pending("?limit=0").count == 23)
        let place = try await visitor.data("/task/\(ids[3])/position")
        #expect(place["status"] as? String == "pending")
        #expect(place["position"] as? Int == 3)
        #expect(try await visitor.get("\(root)/queue?limit=x").status == 422)
        #expect(try await visitor.says(true, "POST", "/queue/clear") == "Queue cleared.")
        #expect(spool.list("queue").isEmpty)
        #expect(try await visitor.says(true, "POST", "/queue/resume") == "Queue resumed.")
        try await daemon.says("going on")
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }

    @Test("a task that runs is the first of those that are pending, and is interrupted by its deletion")
    func running() async throws {
        let standIn = try StandIn.start(options: .init(stepTime: .milliseconds(100)))
        let spool = try TestSpool()
        let (daemon, visitor) = try await spool.gateway(server: standIn.url, ["--in-flight", "1"])
        let long = try await visitor.queue(smallJob().replacing(#""steps": 1"#, with: #""steps": 100000"#))
        await standIn.arrived(1)
        let next = try await visitor.queue(smallJob())
        let answer = try await visitor.get("\(root)/queue")
        #expect(answer.json["current_task_id"] as? String == long)
        let pending = try await visitor.pending()
        #expect(pending.map { $0["status"] as? String } == ["running", "pending"])
        #expect(pending.map { $0["position"] as? Int } == [0, 1])
        let task = try await visitor.data("/task/\(long)")
        #expect(task["status"] as? String == "running")
        #expect(task["position"] is NSNull)
        #expect(try await visitor.says(false, "POST", "/task/\(long)/run") == "Task is running")
        #expect(try await visitor.says(false, "POST", "/task/\(long)/move/bottom") == "Task is running")
        #expect(try await visitor.says(true, "POST", "/task/\(next)/run") == "Task is scheduled to run next")
        #expect(try await visitor.says(true, "DELETE", "/task/\(long)") == "Task interrupted")
        #expect(try await visitor.end(of: next)["status"] as? String == "done")
        #expect(try await visitor.says(false, "DELETE", "/task/\(next)").contains("its result is left"))
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }

    @Test("history is the newest first, counted, and by status; a failure holds nobody up")
    func history() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let (daemon, visitor) = try await spool.gateway(server: standIn.url)
        var ids: [String] = []
        for body in [smallJob(), #"{"steps": "many"}"#, smallJob()] {
            let id = try await visitor.queue(body)
            _ = try await visitor.end(of: id)
            ids.append(id)
        }
        func history(_ query: String) async throws -> ([String?], Int?) {
            let answer = try await visitor.get("\(root)/history\(query)")
            #expect(Set(answer.json.keys) == ["tasks", "total"])
            let tasks = try #require(answer.json["tasks"] as? [[String: Any]])
            for task in tasks {
                #expect(Set(task.keys) == keys)
                #expect((task["updated_at"] as? Int).map { $0 > 1_600_000_000_000 } == true)
                #expect(task["position"] is NSNull)
            }
            return (tasks.map { $0["id"] as? String }, answer.json["total"] as? Int)
        }
        #expect(try await history("") == (ids.reversed(), 3))
        #expect(try await history("?status=all&limit=1&offset=1") == ([ids[1]], 3))
        #expect(try await history("?status=failed") == ([ids[1]], 1))
        #expect(try await history("?status=done") == ([ids[2], ids[0]], 2))
        #expect(try await history("?status=interrupted") == ([], 0))
        #expect(try await history("?status=bookmarked") == ([], 0))
        let failed = try await visitor.data("/task/\(ids[1])")
        #expect((failed["result"] as? String)?.isEmpty == false)
        #expect(try await visitor.says(false, "POST", "/history/clear").contains("nothing here deletes them"))
        #expect(spool.list("done").count == 2)
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }

    @Test("a task is queued once more as a copy, and all that have failed under their own names")
    func requeue() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let (daemon, visitor) = try await spool.gateway(server: standIn.url)
        let good = try await visitor.queue(smallJob())
        _ = try await visitor.end(of: good)
        #expect(try await visitor.says(false, "POST", "/task/requeue-failed") == "No failed tasks")
        for path in ["/task/\(good)/requeue", "/requeue/\(good)"] {
            #expect(try await visitor.says(true, "POST", path) == "Task requeued")
        }
        try await spool.holds(3, in: "done")
        #expect(spool.list("done").contains(good))
        let bodies = standIn.requests.map { String(decoding: $0.body, as: UTF8.self) }
        #expect(bodies.count == 3 && bodies.allSatisfy { $0.contains(#""prompt": "a cat""#) })
        let bad = try await visitor.queue(#"{"steps": "many"}"#)
        _ = try await visitor.end(of: bad)
        #expect(try await visitor.says(true, "POST", "/task/requeue-failed") == "Requeued 1 failed tasks")
        #expect(try await visitor.end(of: bad)["status"] as? String == "failed")
        #expect(spool.list("failed") == [bad])
        #expect(try await visitor.says(false, "POST", "/task/nobody/requeue") == "Task not found")
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }

    @Test("tasks that are moved are rendered in their new order, and who waits for one of them gets its picture")
    func move() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        try Data().write(to: spool.path("PAUSE"))
        let (daemon, visitor) = try await spool.gateway(server: standIn.url, ["--in-flight", "1"])
        var ids: [String] = []
        for word in ["a", "b", "c", "d"] { ids.append(try await visitor.queue(#"{"prompt": "\#(word)", "steps": 1}"#)) }
        let waiting = Task { try await visitor.post("/sdapi/v1/txt2img", #"{"prompt": "patient", "steps": 1}"#) }
        let accepted = try await daemon.says("accepted", ".patient")
        let patient = try #require(accepted.components(separatedBy: "Z.").last)
        let (a, b, c, d) = (ids[0], ids[1], ids[2], ids[3])
        func order() async throws -> [String?] { try await visitor.pending().map { $0["id"] as? String } }
        #expect(try await visitor.says(true, "POST", "/task/\(patient)/move/top") == "Task moved to top")
        #expect(try await order() == [patient, a, b, c, d])
        #expect(try await visitor.says(true, "POST", "/task/\(a)/move/bottom") == "Task moved to bottom")
        #expect(try await order() == [patient, b, c, d, a])
        #expect(try await visitor.says(true, "POST", "/move/\(d)/\(c)") == "Task moved")
        #expect(try await order() == [patient, b, d, c, a])
        #expect(try await visitor.says(true, "POST", "/move/\(patient)/\(a)") == "Task moved")
        #expect(try await order() == [b, d, c, patient, a])
        for path in ["/task/nobody/move/top", "/task/\(a)/move/nobody", "/run/nobody"] {
            #expect(try await visitor.says(false, "POST", path) == "Task not found")
        }
        #expect(try await visitor.data("/task/\(patient)/position")["position"] as? Int == 3)
        #expect(try await visitor.get("/spool/v1/jobs/\(patient)").json["before"] as? Int == 3)
        try FileManager.default.removeItem(at: spool.path("PAUSE"))
        let answer = try await waiting.value
        #expect(answer.status == 200, "\(answer.text.prefix(300))")
        _ = try await visitor.end(of: a)
        let words = standIn.requests.compactMap {
            (try? JSONSerialization.jsonObject(with: Data($0.body)) as? [String: Any])?["prompt"] as? String
        }
        #expect(words == ["b", "d", "c", "patient", "a"])
        #expect(try await daemon.stop() == 0)
        // None of them stood in the line twice.
        #expect(!daemon.lines.contains { $0.contains("is gone from its folder") })
        #expect(spool.list("done").count == 5)
        await standIn.stop()
    }

    @Test("a job that was moved is found by the ticket that its client was told, waiting, cancelled and done")
    func oldTickets() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        try Data().write(to: spool.path("PAUSE"))
        let (daemon, visitor) = try await spool.gateway(server: standIn.url)
        var tickets: [String] = []
        for _ in 0..<3 {
            let answer = try await visitor.post("/sdapi/v1/txt2img?async=1", smallJob())
            tickets.append(try #require(answer.headers["sdspool-ticket"]))
        }
        func job(_ ticket: String) async throws -> DoorAnswer { try await visitor.get("/spool/v1/jobs/\(ticket)") }
        _ = try await visitor.says(true, "POST", "/task/\(tickets[2])/move/top")
        _ = try await visitor.says(true, "POST", "/task/\(tickets[2])/move/bottom")
        _ = try await visitor.says(true, "POST", "/task/\(tickets[1])/move/top")
        for (index, before) in [(0, 1), (1, 0), (2, 2)] {
            let answer = try await job(tickets[index])
            #expect(answer.json["before"] as? Int == before, "\(index): \(answer.text)")
            #expect((answer.json["ticket"] as? String == tickets[index]) == (index == 0), "\(answer.text)")
        }
        // By hand, and by its second ticket.
        let second = try #require(try await job(tickets[1]).json["ticket"] as? String)
        let third = "1-" + second.dropFirst(2)
        try FileManager.default.moveItem(
            at: spool.path("queue/\(second).json"), to: spool.path("queue/\(third).json"))
        try await daemon.says("moved a-cat", "is 1-")
        for ticket in [tickets[1], second, third] {
            #expect(try await job(ticket).json["ticket"] as? String == third)
            #expect(try await visitor.data("/task/\(ticket)")["status"] as? String == "pending")
        }
        #expect(try await visitor.call("DELETE", "/spool/v1/jobs/\(tickets[1])").status == 200)
        #expect(try await job(tickets[1]).status == 404)
        try FileManager.default.removeItem(at: spool.path("PAUSE"))
        let end = try await visitor.call("GET", "/spool/v1/jobs/\(tickets[2])", headers: ["Prefer": "wait=3600"])
        #expect(end.json["state"] as? String == "done", "\(end.text)")
        #expect(try await visitor.get("/spool/v1/jobs/\(tickets[2])/images/1").headers["content-type"] == "image/png")
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }

    @Test("a job that somebody's hand moves is not gone for who waits for it")
    func moveByHand() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        try Data().write(to: spool.path("PAUSE"))
        let (daemon, visitor) = try await spool.gateway(server: standIn.url)
        let waiting = Task { try await visitor.post("/sdapi/v1/txt2img", smallJob()) }
        try await daemon.says("accepted", ".a-cat")
        let ticket = try #require(spool.list("queue").first)
        try FileManager.default.moveItem(
            at: spool.path("queue/\(ticket)"), to: spool.path("queue/1\(ticket.dropFirst())"))
        try await daemon.says("moved a-cat", "is 1-")
        let name = try #require(ticket.components(separatedBy: "Z.").last?.dropLast(5))
        #expect(try await visitor.get("/spool/v1/jobs/\(name)").json["priority"] as? Int == 1)
        try FileManager.default.removeItem(at: spool.path("PAUSE"))
        #expect(try await waiting.value.status == 200)
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }

    @Test("who is named by callback_url gets a form with the pictures, and hears of a failure, too")
    func callback() async throws {
        let (standIn, receiver) = (try StandIn.quick(), try Receiver())
        let spool = try TestSpool()
        let (daemon, visitor) = try await spool.gateway(server: standIn.url)
        let url = "http://me:secret@127.0.0.1:\(receiver.port)/end"
        let good = try await visitor.queue(smallJob(#""batch_size": 2, "callback_url": "\#(url)""#))
        try await daemon.says("was told the end of \(good)")
        let bad = try await visitor.queue(#"{"steps": "many", "callback_url": "\#(url)"}"#)
        try await daemon.says("was told the end of \(bad)")
        #expect(receiver.requests.map(\.target) == ["/end", "/end"])
        for (request, (id, status, count)) in zip(receiver.requests, [(good, "done", 2), (bad, "failed", 0)]) {
            let type = try #require(request.headers["Content-Type"])
            let boundary = try #require(type.components(separatedBy: "multipart/form-data; boundary=").last)
            // A byte is a character here.
            let body = try #require(String(data: Data(request.body), encoding: .isoLatin1))
            let parts = body.components(separatedBy: "--\(boundary)")
            #expect(parts.count == 4 + count)
            #expect(parts.first == "" && parts.last == "--\r\n")
            #expect(parts[1] == "\r\nContent-Disposition: form-data; name=\"task_id\"\r\n\r\n\(id)\r\n")
            #expect(parts[2] == "\r\nContent-Disposition: form-data; name=\"status\"\r\n\r\n\(status)\r\n")
            for number in 0..<count {
                let name = "\(id)-\(number + 1).png"
                let file = try #require(
                    String(data: try Data(contentsOf: spool.path("done/\(id)/\(name)")), encoding: .isoLatin1))
                let head = "Content-Disposition: form-data; name=\"files\"; filename=\"\(name)\""
                #expect(parts[3 + number] == "\r\n\(head)\r\nContent-Type: image/png\r\n\r\n\(file)\r\n")
            }
        }
        let shown = try await visitor.data("/task/\(good)")["api_task_callback"] as? String
        #expect(shown == "http://127.0.0.1:\(receiver.port)")
        #expect(try await daemon.stop() == 0)
        await receiver.stop()
        await standIn.stop()
    }

    @Test("the server's samplers and checkpoints are lists of names")
    func lists() async throws {
        // Nobody else is given the port when the server is gone.
        let port = try ReservedPort()
        let standIn = try StandIn.start(port: port.number, options: .init(stepTime: .zero))
        let spool = try TestSpool()
        let (daemon, visitor) = try await spool.gateway(server: standIn.url)
        for (ours, theirs, key) in [("samplers", "samplers", "name"), ("sd-models", "sd-models", "title")] {
            let names = try JSONDecoder().decode([String].self, from: try await visitor.get("\(root)/\(ours)").data)
            let list = try JSONSerialization.jsonObject(
                with: try await Visitor(standIn.url).get("/sdapi/v1/\(theirs)").data)
            #expect(names == (list as? [[String: Any]])?.compactMap { $0[key] as? String })
            #expect(!names.isEmpty)
        }
        await standIn.stop()
        #expect(try await visitor.get("\(root)/samplers").status == 502)
        #expect(try await daemon.stop() == 0)
    }

    @Test("mistakes and what is not done here are told in the shapes of its framework")
    func mistakes() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let (daemon, visitor) = try await spool.gateway(server: standIn.url)
        for (body, key) in [
            (#"{"prompt": "x", "checkpoint": 3}"#, "checkpoint"), (#"{"vae": []}"#, "vae"),
            (#"{"callback_url": "ftp://me:secret@host"}"#, "callback_url"), (#"{"sdspool": 3}"#, "sdspool"),
            (#"{"checkpoint": "x", "override_settings": []}"#, "override_settings"),
        ] {
            let answer = try await visitor.post("\(root)/queue/txt2img", body)
            #expect(answer.status == 422)
            let detail = try #require((answer.json["detail"] as? [[String: Any]])?.first)
            #expect(detail["loc"] as? [String] == ["body", key])
            #expect(!answer.text.contains("secret"))
        }
        for body in ["", "{", "[1]"] { #expect(try await visitor.post("\(root)/queue/img2img", body).status == 422) }
        #expect(spool.list("inbox").isEmpty && spool.list("queue").isEmpty && spool.list("failed").isEmpty)
        for (method, path, status) in [
            ("GET", "/nowhere", 404), ("GET", "/queue/txt2img", 405), ("POST", "/history", 405), ("GET", "/task", 404),
        ] {
            let answer = try await visitor.call(method, "\(root)\(path)")
            #expect(answer.status == status)
            #expect(Array(answer.json.keys) == ["detail"])
        }
        for (method, path) in [
            ("GET", "/export"), ("POST", "/import"), ("PUT", "/task/x"), ("POST", "/task/x/bookmark"),
            ("POST", "/unbookmark/x"), ("POST", "/rename/x?name=y"),
        ] { #expect(try await !visitor.says(false, method, path).isEmpty) }
        for (method, path) in [
            ("GET", "/task/x"), ("GET", "/task/x/position"), ("GET", "/results/x"), ("DELETE", "/task/x"),
            ("POST", "/delete/x"),
        ] { #expect(try await visitor.says(false, method, path) == "Task not found") }
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }
}
