// Messages to those whom jobs name.

import Foundation
import Linux
import Testing

@testable import Spool

@Suite struct OutboxTests {
    private let spool: TestSpool
    private var folders: Spool { spool.folders }
    private static let text = #"{"prompt": "a", "sdspool": {"callback": "http://me:secret@127.0.0.1:8000/x?y=1"}}"#

    init() throws { spool = try TestSpool() }

    /// A job as the daemon has it when it has read its file.
    private func claim(_ name: String, at microseconds: Int64 = 1, _ text: String = text) throws -> ActiveJob {
        var job = try spool.claim(name, at: microseconds, text)
        job.callback = try job.writtenCallback()
        return job
    }

    @Test(
        "a URL is taken apart, and only its host may be shown",
        arguments: [
            ("http://127.0.0.1:8000/x?y=1", "http://127.0.0.1:8000", "http://127.0.0.1:8000/x?y=1", nil),
            ("HTTPS://Me:p%40ss@Host/a", "https://host:443", "https://Host/a", "Basic TWU6cEBzcw=="),
            ("http://[::1]", "http://[::1]:80", "http://[::1]", nil),
        ])
    func parts(text: String, shown: String, url: String, authorization: String?) throws {
        let callback = try #require(Callback(text))
        #expect("\(callback)" == shown)
        #expect(callback.url.absoluteString == url)
        #expect(callback.authorization == authorization)
    }

    @Test(
        "what is no such URL makes the file no job, and is not shown",
        arguments: [
            "ftp://a/secret", "secret", "http://", "http:///secret", "http://a:99999/secret", "http://a/#secret", "",
            "file:///etc/secret", "http://a b/secret",
        ])
    func wrong(url: String) throws {
        let text = #"{"prompt": "a", "sdspool": {"callback": "\#(url)"}}"#
        let error = #expect(throws: JobFileError.self) { try JobFile(Data(text.utf8)) }
        #expect(error?.message.hasPrefix(#""sdspool"."callback" must be a URL such as"#) == true)
        #expect(error?.message.contains("secret") == false)
    }

    @Test("a message that says that its job ended before all time is none", arguments: [Int64.min, -1])
    func since(microseconds: Int64) throws {
        let ticket = try Ticket.test("cat")
        let callback = try #require(Callback("http://127.0.0.1"))
        let content = OutboxMessage.content(
            to: callback, .done, since: Timestamp(microseconds: microseconds), body: Data())
        #expect(OutboxMessage(content, of: ticket) == nil)
        #expect(OutboxMessage(OutboxMessage.content(to: callback, .done, since: .now, body: Data()), of: ticket) != nil)
    }

    @Test("a job that names nobody leaves no outbox, one that does has a message as long as nobody takes it")
    func message() throws {
        _ = try claim("a", #"{"prompt": "a", "sdspool": {"callback": null}}"#).finish(with: Data("{}".utf8))
        #expect(try spool.tree().allSatisfy { !$0.contains("outbox") })
        #expect(try Outbox(folders).messages().isEmpty && folders.posted.isEmpty)
        let done = try claim("b", at: 2)
        _ = try done.finish(with: Data(#"{"b": 1}"#.utf8))
        let failed = try claim("c", at: 3)
        _ = try failed.fail(with: ErrorReport(ticket: failed.ticket, class: "permanent", message: "no"))
        #expect(try Outbox(folders).messages() == [done.ticket, failed.ticket])
        let message = try #require(try Outbox(folders).message(of: done.ticket))
        #expect(message.state == .done && message.body == Data(#"{"b": 1}"#.utf8))
        #expect(message.callback == Callback("http://me:secret@127.0.0.1:8000/x?y=1"))
        let other = try #require(try Outbox(folders).message(of: failed.ticket))
        #expect(other.state == .failed)
        #expect(try other.body == Data(spool.text("failed/c/error.json").utf8))
        #expect(try folders.posted.take(where: Outbox(folders).isPublished) == [done.ticket, failed.ticket])
        #expect(folders.posted.isEmpty)
        try Outbox(folders).remove(done.ticket)
        try Outbox(folders).remove(done.ticket)
        #expect(try Outbox(folders).messages() == [failed.ticket])
    }

    @Test("a start that finds a job with its end makes the message before the move", arguments: ["result", "error"])
    func recovered(document: String) throws {
        let job = try spool.claim("a", Self.text)
        try spool.write("{ }", to: name("\(document).json"), in: job.folder)
        _ = try Recovery(folders).recover()
        let message = try #require(try Outbox(folders).message(of: job.ticket))
        #expect(message.state == (document == "result" ? .done : .failed))
        #expect(message.body == Data("{ }".utf8))
    }

    @Test("a message is not due while its job is in active/, and one of a job that was cancelled then goes with it")
    func premature() throws {
        let job = try claim("a")
        try spool.write("{ }", to: "result.json", in: job.folder)
        try job.post(.done)
        #expect(try folders.posted.take(where: Outbox(folders).isPublished).isEmpty)
        #expect(try Outbox(folders).messages() == [job.ticket])
        try job.folder.unlink("a.json")
        _ = try Recovery(folders).recover()
        #expect(try Outbox(folders).messages().isEmpty)
    }

    @Test("what a killed daemon has not written to the end is swept away, and what somebody has spoilt is none")
    func spoilt() throws {
        let job = try claim("a")
        _ = try job.finish(with: Data("{}".utf8))
        let outbox = try folders.root.directory(".outbox")
        try spool.write("half", to: name(".\(job.ticket).json"), in: outbox)
        _ = try Recovery(folders).recover()
        #expect(try names(in: outbox) == ["\(job.ticket).json"])
        try outbox.unlink(job.ticket.file)
        for content in ["", "{}\n", "no newline", #"{"callback":"ftp://x","state":"done","since":1}"# + "\n"] {
            try spool.write(content, to: job.ticket.file, in: outbox)
            #expect(try Outbox(folders).message(of: job.ticket) == nil)
            try outbox.unlink(job.ticket.file)
        }
    }

    @Test("a job whose picture never came is told, too")
    func refused() throws {
        let job = try spool.claim("a", Self.text)
        _ = try job.refuse(because: JobFileError(message: "no picture", class: "missing asset"))
        #expect(try Outbox(folders).message(of: job.ticket)?.state == .failed)
    }

    @Test("the form that was asked for is kept with the message")
    func form() throws {
        let url = #""http://me:secret@127.0.0.1:8000/x?y=1""#
        let text = Self.text.replacing(url, with: #"{"url": \#(url), "form": "multipart"}"#)
        let job = try spool.claim("a", text)
        _ = try job.refuse(because: JobFileError(message: "no picture", class: "missing asset"))
        #expect(try Outbox(folders).message(of: job.ticket)?.callback.form == .multipart)
    }

    @Test("a batch is told by its parts alone")
    func batch() throws {
        let text = Self.text.replacing(#"{"callback""#, with: #"{"matrix": {"seed": [1, 2]}, "callback""#)
        let job = try spool.claim("a", text)
        #expect(try job.writtenCallback() == nil)
        guard case .batch(let batch) = try Submission(Data(text.utf8), kind: .json) else {
            throw JobFileError(message: "")
        }
        let expansion = try #require(try job.expand(batch, at: []))
        #expect(try Outbox(folders).messages().isEmpty)
        for part in expansion.parts {
            let part = try #require(try Claims(folders).claim(part.ticket))
            #expect(try part.writtenCallback()?.port == 8000)
        }
    }
}
