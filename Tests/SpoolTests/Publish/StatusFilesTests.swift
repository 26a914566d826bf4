// What a job's folder shows while its render is under way, and how a job is cancelled.

import Foundation
import Linux
import Testing

@testable import Spool

@Suite struct StatusFilesTests {
    let spool: TestSpool
    var folders: Spool { spool.folders }

    init() throws {
        spool = try TestSpool()
    }

    private func show(_ job: ActiveJob) throws {
        try job.show(Data("{}".utf8))
        #expect(try job.show(preview: Data("one".utf8), suffix: "png") == "preview.png")
        #expect(try job.show(preview: Data("two".utf8), suffix: "jpg") == "preview.jpg")
    }

    @Test("one preview lies beside the progress, of whichever format it is, and none of a name that is not ours")
    func previews() throws {
        let job = try spool.claim("cat")
        try show(job)
        #expect(try job.show(preview: Data(), suffix: "png/../../x") == nil)
        #expect(try job.show(preview: Data(), suffix: "json") == nil)
        #expect(try names(in: job.folder) == ["cat.json", "preview.jpg", "progress.json"])
        #expect(try spool.text("active/\(job.ticket)/preview.jpg") == "two")
    }

    @Test(
        "neither goes into a result, a failed job, or back into the queue; a job that is named like them keeps its file"
    )
    func passing() throws {
        for job in ["progress", "preview", "cat"] {
            let file = job == "progress" ? "progress.job.json" : "\(job).json"
            let done = try spool.claim(job, at: 1)
            try show(done)
            #expect(try done.finish(with: Data("{}".utf8)) == "\(spool.path)/done/\(job)")
            #expect(try names(in: folders.done.directory(name(job))) == [file, "result.json"].sorted())

            let failed = try spool.claim(job, at: 2)
            try show(failed)
            _ = try failed.fail(
                with: ErrorReport(ticket: failed.ticket, class: "permanent", message: "no"), keepingPictures: true)
            #expect(try names(in: folders.failed.directory(name(job))) == ["error.json", file].sorted())

            let tried = try spool.claim(job, at: 3)
            try show(tried)
            #expect(try tried.requeue() == .queued)
            #expect(try spool.tree("queue") == ["\(tried.ticket).json: {}"])
            #expect(try Cancellation(folders).cancel(tried.ticket) == .waiting)

            let left = try spool.claim(job, at: 4)
            try show(left)
            #expect(try Recovery(folders).recover().count == 1)
            #expect(try spool.tree("queue") == ["\(left.ticket).json: {}"])
            #expect(try Cancellation(folders).cancel(left.ticket) == .waiting)
        }
        #expect(try spool.tree("active").isEmpty)
    }

    @Test("a job is cancelled when its file is gone, or its folder, wherever that went")
    func cancelled() throws {
        let job = try spool.claim("cat", at: 1)
        #expect(try !job.isCancelled)
        #expect(try Cancellation(folders).cancel(job.ticket) == .rendering)
        #expect(try job.isCancelled)
        #expect(try job.requeue() == .gone)
        let deleted = try spool.claim("cat", at: 2)
        try FileManager.default.removeItem(atPath: deleted.folder.path)
        #expect(try deleted.isCancelled)
        let held = try spool.claim("cat", at: 3)
        try FileManager.default.moveItem(atPath: held.folder.path, toPath: "\(spool.path)/hold/\(held.ticket)")
        #expect(try held.isCancelled)
    }

    @Test("a job that waits is taken away with the record of its attempts; the others stay")
    func waiting() throws {
        let new = try spool.queue("cat", at: 1)
        let tried = try spool.claim("cat", at: 2)
        try tried.record(Attempts())
        #expect(try tried.requeue() == .queued)
        let active = try spool.claim("cat", at: 3)
        _ = try spool.queue("dog", at: 4)
        let name = try #require(JobName(written: Array("cat".utf8)))
        #expect(try Cancellation(folders).tickets(named: name) == [new, tried.ticket, active.ticket])
        #expect(try Cancellation(folders).cancel(tried.ticket) == .waiting)
        #expect(try Cancellation(folders).cancel(new) == .waiting)
        #expect(try Cancellation(folders).cancel(new) == nil)
        #expect(try Cancellation(folders).tickets(named: name) == [active.ticket])
        #expect(try Listing(folders).waiting().map(\.name.text) == ["dog"])
    }

    @Test("what has ended and only waits for its move is not cancelled any more")
    func ended() throws {
        let job = try spool.claim("cat")
        try spool.write("{}", to: JobFolder.result, in: job.folder)
        #expect(try Cancellation(folders).cancel(job.ticket) == nil)
        #expect(try Recovery(folders).recover().count == 1)
        let name = job.ticket.name
        #expect(try Cancellation(folders).whereabouts(of: name) == ["\(spool.path)/done/cat"])
        try spool.drop("cat.json")
        try spool.write("{}", to: "cat.JSON", in: folders.root.directory("hold"))
        #expect(
            try Cancellation(folders).whereabouts(of: name) == [
                "\(spool.path)/done/cat", "\(spool.path)/inbox/cat.json", "\(spool.path)/hold/cat.JSON",
            ])
    }

    @Test("a job that the daemon claims and puts back all the while is cancelled all the same")
    func race() async throws {
        let (spool, folders) = (spool, folders)
        for number in 1...200 {
            let ticket = try spool.queue("cat", at: Int64(number))
            let daemon = Task.detached {
                while let job = try Claims(folders).claim(ticket) {
                    if try job.content(upTo: 10) == nil { return try job.requeue() == .gone }
                    if try job.requeue() == .gone { return true }
                }
                return true
            }
            let cancelled = try Cancellation(folders).cancel(ticket)
            #expect(try await daemon.value)
            #expect(cancelled != nil)
            #expect(try spool.tree("queue").isEmpty && spool.tree("active").isEmpty, "\(number)")
        }
    }

    @Test("a spool that is not there is not made")
    func existing() throws {
        #expect(throws: SystemError.self) { try Spool(existing: "\(spool.path)/inbox") }
        #expect(try spool.tree("inbox").isEmpty)
        #expect(try Spool(existing: spool.path).root.path == spool.path)
    }
}
