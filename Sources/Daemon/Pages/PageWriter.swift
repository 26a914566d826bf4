// Keeps the pages up to date: index.html and what lies in pages/.

@preconcurrency import Dispatch
import Foundation
import Linux
import Page
import Spool
import Synchronization

/// Hears what happens and has it written, on a thread of its own: no job waits for a page. Nothing is read or written
/// before the daemon is ready, and nothing while nothing happens.
final class PageWriter: Sendable {
    private struct Told {
        var news = PageBuilder.Changes()
        var isReady = false
        var isDue = false
        var isFinished = false
    }
    private let spool: Spool
    private let queue: JobQueue
    private let status: @Sendable () -> Status
    private let writes = DispatchQueue(label: "page")
    private let told = Mutex(Told())
    /// Held while pages are written, on `writes` alone.
    private let maker: Mutex<PageBuilder>

    /// A burst is told as one.
    private static let interval = Duration.seconds(1)

    init(_ spool: Spool, _ queue: JobQueue, status: @escaping @Sendable () -> Status) {
        self.spool = spool
        self.queue = queue
        self.status = status
        maker = Mutex(PageBuilder(spool))
    }

    func record(_ event: Event) {
        guard Self.isWanted else { return }
        let (done, failed) = folders(of: event)
        let isNew = told.withLock { told in
            if let done { told.news.done.append(done) }
            if let failed { told.news.failed.append(failed) }
            if case .ready = event { told.isReady = true }
            guard told.isReady, !told.isDue else { return false }
            told.isDue = true
            return true
        }
        if isNew { write(in: Self.interval) }
    }

    /// Writes what has not been written yet, and nothing afterwards: the process may end in the midst of it.
    func finish() {
        guard told.withLock({ $0.isReady }) else { return }
        writes.sync {
            _ = write(isLast: true)
            told.withLock { $0.isFinished = true }
        }
    }

    private func write(in delay: Duration) {
        writes.asyncAfter(deadline: .now() + delay / .seconds(1)) { [weak self] in
            guard let self, let next = write(isLast: false) else { return }
            let isNew = told.withLock { told in
                defer { told.isDue = true }
                return !told.isDue
            }
            if isNew { write(in: next) }
        }
    }

    private func write(isLast: Bool) -> Duration? {
        guard !told.withLock({ $0.isFinished }) else { return nil }
        var news = told.withLock { told in
            defer { (told.news, told.isDue) = (PageBuilder.Changes(), false) }
            return told.news
        }
        news.status = status()
        let line = queue.waiting(atMost: NowPage.most)
        return maker.withLock { [news] maker in
            maker.record(news)
            // A disk that does not take it is met by the jobs, too, and told by them. The next event tries it again. Folders
            // that only others may enter are none of the page's.
            return try? maker.write(news, queue: line, isLast: isLast)
        }
    }

    /// The folder that an event has brought into done/ or failed/.
    private func folders(of event: Event) -> (done: FileName?, failed: FileName?) {
        switch event {
        case .done(let ticket, let path, _, _, _): (Results(spool).folder(of: ticket.name, at: path, .done), nil)
        case .expanded(let ticket, let expansion):
            (Results(spool).folder(of: ticket.name, at: expansion.path, .done), nil)
        case .failed(let ticket, _, let path): (nil, Results(spool).folder(of: ticket.name, at: path, .failed))
        case .refused(let name, _, let path): (nil, Results(spool).folder(of: name, at: path, .failed))
        default: (nil, nil)
        }
    }

    #if DEBUG
        // Most lives of the crash suite are about jobs; one is about the page.
        private static let isWanted = ProcessInfo.processInfo.environment["SDSPOOL_PAGE"] != "none"
    #else
        private static let isWanted = true
    #endif
}
