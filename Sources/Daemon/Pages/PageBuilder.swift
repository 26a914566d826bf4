// Writes the pages: index.html when there are new results, now.html when something goes on, and pages of older results.

import Foundation
import Linux
import Page
import Spool

/// What is on the pages, and what is not yet. Reads and writes files; throws ``SystemError``, and may be called again then.
struct PageBuilder {
    /// What has been told since the last time.
    struct Changes {
        var status = Status()
        /// Folders that have come into done/ and failed/.
        var done: [FileName] = []
        var failed: [FileName] = []
    }
    private let spool: Spool
    private var index = ResultIndex()
    /// The folders of the newest failures, the oldest first.
    private var failures: [FileName] = []
    /// Of the newest page of older results.
    private var lastPage = 0
    private var through = Timestamp(microseconds: 0)

    private var hasListed = false
    private var isSheetDue = true
    /// Of the sheet that was written last.
    private var version = ""
    private var lastSheet: ContinuousClock.Instant?
    private var lastNow: (document: Data, at: ContinuousClock.Instant)?

    private static let mostFailures = 50
    /// While results come thick and fast, they are not read for pages that nobody can have missed yet, up to so many.
    private static let patience = 10_000
    private static let sheetInterval = Duration.seconds(2)
    private static let nowInterval = Duration.seconds(1)
    /// Between two pages of older results: a spool that has thousands gets them beside its work.
    private static let breath = Duration.milliseconds(50)

    init(_ spool: Spool) { self.spool = spool }

    /// Takes note of what has happened. Costs no file.
    mutating func record(_ news: Changes) {
        for folder in news.done { index.add(folder) }
        failures = (failures + news.failed).suffix(hasListed ? Self.mostFailures : Self.patience)
        if !news.done.isEmpty || !news.failed.isEmpty { isSheetDue = true }
    }

    /// Writes what is due, and says when to come again; `nil` where nothing is left to do until something happens.
    ///
    /// - Parameter isLast: there is no next time: what is there is told now, and what takes long is left to the next life.
    mutating func write(_ news: Changes, queue: (first: [Ticket], count: Int), isLast: Bool) throws -> Duration? {
        let now = ContinuousClock.now
        var next: Duration?
        func comeAgain(in delay: Duration) { next = min(next ?? delay, max(delay, .milliseconds(1))) }

        try list()
        if !isLast, index.isFull, news.done.isEmpty || index.count >= Self.patience {
            try archive()
        }
        if index.isFull { comeAgain(in: news.done.isEmpty ? Self.breath : Self.nowInterval) }
        if isSheetDue {
            let rest = lastSheet.map { Self.sheetInterval - (now - $0) } ?? .zero
            if isLast || rest <= .zero { try writeSheet() } else { comeAgain(in: rest) }
        }
        let page = self.now(news.status, queue)
        if page != lastNow?.document {
            let rest = lastNow.map { Self.nowInterval - (now - $0.at) } ?? .zero
            if isLast || rest <= .milliseconds(50) {
                try Pages(spool).show(now: page)
                lastNow = (page, now)
            } else {
                comeAgain(in: rest)
            }
        }
        // How far it is is told by nobody.
        if !news.status.rendering.isEmpty { comeAgain(in: Self.nowInterval) }
        return isLast ? nil : next
    }

    // MARK: Results

    /// Once, behind the start: finds what earlier lives have left.
    private mutating func list() throws {
        guard !hasListed else { return }
        // One that was cut short, or that somebody has made, is written anew. None ends in the future.
        let end = Timestamp(microseconds: Timestamp.now.microseconds + 86_400_000_000)
        for number in try Pages(spool).numbers().reversed() {
            guard let page = try Pages(spool).page(Archive.file(number)), let through = Archive.through(page),
                through < end
            else { continue }
            (lastPage, self.through) = (number, through)
            break
        }
        let old = try Results(spool).all(.done, after: lastPage > 0 ? through : nil)
        let told = Set(failures)
        let failed = try Results(spool).all(.failed).map(\.folder).filter { !told.contains($0) }
        index.begin(with: old.map(\.folder))
        failures = (failed + failures).suffix(Self.mostFailures)
        hasListed = true
    }

    private mutating func archive() throws {
        let results = try index.page(look: look)
        guard index.isFull, !results.isEmpty else { return }
        let number = lastPage + 1
        let through = max(through, results.map(\.ended).max() ?? through)
        let page = Archive(number: number, through: through, results: results.reversed())
        try Pages(spool).show(page: page.document, Archive.file(number))
        (lastPage, self.through) = (number, through)
        index.remove(Set(results.map(\.folder)))
        isSheetDue = true
        if number > 1, let before = try Pages(spool).page(Archive.file(number - 1)),
            let linked = Archive.linked(before, number: number - 1)
        {
            try Pages(spool).show(page: linked, Archive.file(number - 1))
        }
    }

    private mutating func writeSheet() throws {
        let results = try index.newest(ResultIndex.full - 1, look: look)
        let failed = try failures.compactMap { folder in
            try Results(spool).content(of: folder, .failed).map {
                FailureCard(folder: folder, job: $0.job, ended: $0.ended, document: $0.document)
            }
        }
        let next = Timestamp.now.compact
        let sheet = IndexPage(
            version: next, results: results.reversed(), failures: failed.reversed(), lastPage: lastPage)
        try Pages(spool).show(sheet: sheet.document)
        (version, lastSheet, isSheetDue) = (next, .now, false)
    }

    private func look(at folder: FileName, seen shown: ResultCard?) throws -> ResultCard? {
        if let shown { return try Results(spool).isThere(folder, .done) ? shown : nil }
        return try Results(spool).content(of: folder, .done).map {
            ResultCard(folder: folder, job: $0.job, ended: $0.ended, document: $0.document)
        }
    }

    // MARK: Now

    private func now(_ status: Status, _ queue: (first: [Ticket], count: Int)) -> Data {
        let renders = status.rendering.map { ticket, server in
            let (progress, job) = Results(spool).look(at: ticket)
            return RenderCard(
                ticket, server: server, prompt: job.flatMap(RenderCard.prompt(ofJob:)), document: progress)
        }
        let servers = status.servers.map { NowPage.Server(url: $0, reason: status.away[$0]) }
        return NowPage(
            sheet: version, state: status.state.rawValue, reason: status.reason, servers: servers, renders: renders,
            queue: queue
        ).document
    }
}
