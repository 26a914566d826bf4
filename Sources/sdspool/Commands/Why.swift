// sdspool why: what a file in a spool is, what state it is in, and what it waits for.

import Daemon
import Foundation
import Linux
import Spool

enum Why {
    static let help = """
        usage: sdspool why [--spool DIR] PATH…

        Tells of a file or folder in the spool, in a sentence or two, what it is, what it waits for and since when. PATH is
        its path, or a job's name or ticket. Exit code 66 says that there is nothing of that name.
        """

    static func main(_ words: [String]) throws {
        let command = try JobCommand("why", words, help: help)
        let teller = try Explainer(command.spool)
        try command.each { word in try teller.tell(command.spool.subject(word), word, command) }
    }

    /// What the whole spool is in, which every answer needs.
    struct Explainer {
        let spool: Spool
        let overview: StatusReport

        init(_ spool: Spool) throws(SystemError) {
            self.spool = spool
            overview = try StatusReport(spool)
        }

        func tell(_ subject: Subject, _ word: String, _ command: JobCommand) throws -> String {
            switch subject {
            case .stray(let place): return "\(place) is none of the spool's files: nothing is done with it."
            case .location(let location): return try tell(location)
            case .name:
                // A ticket, or a name; of several jobs each is told of.
                if let ticket = try command.ticket(word), let location = try JobLocator(spool).location(of: ticket) {
                    return try tell(location)
                }
                let positions = try JobLocator(spool).positions(of: command.jobName(word))
                guard !positions.isEmpty else { throw try command.missing(word, "is anywhere in the spool") }
                return try positions.prefix(StatusReport.some).map(tell).joined(separator: "\n")
            }
        }

        func tell(_ location: JobLocation) throws -> String {
            let path = JobLocator(spool).path(of: location)
            switch location {
            case .dropped(let entry):
                guard let stray = try Inbox(spool).diagnosis(of: entry) else {
                    return "\(path) is gone: taken, or moved."
                }
                return "\(path) \(words(stray))"
            case .queued(let ticket):
                let before = overview.waiting.count { $0 < ticket }
                let place =
                    before == 0
                    ? "is the next in the queue" : "waits in the queue behind \(before) other\(before == 1 ? "" : "s")"
                return "\(ticket.name) \(place), with priority \(ticket.priority), since \(ticket.arrival.iso8601)."
                    + (try earlier(ticket))
                    + (obstacle.map { " \($0)" } ?? (before == 0 ? "" : " It starts when those have."))
            case .active(let ticket):
                guard case .alive = overview.liveness else {
                    return
                        "\(ticket.name) was being rendered when its daemon ended; the next one puts it back into its place. "
                        + (obstacle ?? "")
                }
                if let note = overview.note, note.state == "waiting", let reason = note.reason, !note.has(ticket) {
                    return "\(ticket.name) is ready, and not sent yet: \(StatusReport.clean(reason)). "
                        + "It was accepted at \(ticket.arrival.iso8601)."
                }
                let words = try StatusFiles(spool).progress(of: ticket)?.words
                return
                    "\(ticket.name) is being rendered: it \(words.map { $0.first?.isNumber == true ? "is at \($0)" : $0 } ?? "is with the server"). "
                    + "It was accepted at \(ticket.arrival.iso8601)."
            case .held(let entry):
                return
                    "\(path) is parked: nothing renders it until somebody moves it back (sdspool release \(Ticket(entry: entry)?.name.description ?? "\(entry)"))."
            case .done: return "\(path) is done: \(try pictures(location))."
            case .failed(let entry):
                let outcome = try Results(spool).outcome(at: location)
                let kind = outcome?.class.map { " (\(StatusReport.clean($0)))" } ?? ""
                return
                    "\(path) has failed\(kind): \(StatusReport.clean(outcome?.message ?? "nothing there says why")). "
                    + "sdspool retry \(entry) drops it again."
            }
        }

        private func pictures(_ location: JobLocation) throws(SystemError) -> String {
            guard let outcome = try Results(spool).outcome(at: location) else { return "its folder is gone" }
            if !outcome.parts.isEmpty {
                return "it was a file with \(outcome.parts.count) jobs, and each has a place of its own"
            }
            let count = outcome.pictures.count
            return count == 0
                ? "no pictures, and what the server said is in result.json"
                : "\(count) picture\(count == 1 ? "" : "s") beside its result.json"
        }

        private func words(_ stray: InboxDiagnosis) -> String {
            switch stray {
            case .noJobFile(let reason): "is left alone where it is: \(reason)."
            case .unfinished(let reason):
                "is not whole yet: \(StatusReport.clean(reason)). It is waited for as long as it changes, and fails a few seconds behind "
                    + "its last change.\(obstacle.map { " \($0)" } ?? "")"
            case .wrong(let reason):
                "is no job: \(StatusReport.clean(reason)). It goes to failed/ with that reason.\(obstacle.map { " \($0)" } ?? "")"
            case .open:
                "is a whole job, but somebody still has it open for writing; it is taken when that one closes it."
            case .whole:
                "is a whole job\(obstacle.map { " that is not taken yet. \($0)" } ?? " and is about to be taken.")"
            }
        }

        /// What an earlier attempt came to.
        private func earlier(_ ticket: Ticket) throws(SystemError) -> String {
            guard let last = try JobLocator(spool).lastAttempt(of: ticket) else { return "" }
            let why = last.message.map { ": \(StatusReport.clean($0))" } ?? ""
            return
                " It was tried \(last.number == 1 ? "once" : "\(last.number) times"), the last time at \(StatusReport.clean(last.started))\(why)."
        }

        /// Why nothing starts; `nil` where all goes its way.
        private var obstacle: String? {
            switch overview.liveness {
            case .none: return "No daemon serves the spool: sdspool run starts one."
            case .silent(let seconds):
                return "The daemon has said nothing for \(StatusReport.spoken(seconds)); is it still there?"
            case .alive: break
            }
            if let paused = overview.paused {
                return "The queue is paused (\(StatusReport.clean(paused))): sdspool resume lets it go on."
            }
            guard let note = overview.note, let reason = note.reason, note.state != "rendering" else { return nil }
            return
                "The queue is \(StatusReport.clean(note.state)) since \(StatusReport.clean(note.since ?? "")): \(StatusReport.clean(reason))."
        }
    }
}

/// What somebody asks about.
enum Subject {
    case location(JobLocation)
    /// It lies in the spool, and is none of its files.
    case stray(String)
    /// No path: a job's name or ticket.
    case name
}

extension Spool {
    /// What a word on the command line means: a path into this spool, if there is one, else a name.
    fileprivate func subject(_ word: String) throws -> Subject {
        guard word.contains("/") || FileManager.default.fileExists(atPath: word) else {
            guard let entry = FileName(bytes: word.utf8), try inbox.status(of: entry) != nil else { return .name }
            return .location(.dropped(entry))
        }
        // Not resolved further than its folder: a link in the inbox is asked about itself.
        let url = URL(fileURLWithPath: word)
        let parent = url.deletingLastPathComponent().resolvingSymlinksInPath().path
        let root = URL(fileURLWithPath: self.root.path).resolvingSymlinksInPath().path
        guard parent == root || parent.hasPrefix(root + "/") else {
            throw Exit(
                .noInput,
                "sdspool why: \(escapedForPeople(Array(word.utf8))) does not lie in \(self.root.path); name the spool with --spool"
            )
        }
        let steps = (parent.dropFirst(root.count) + "/" + url.lastPathComponent).utf8.split(
            separator: UInt8(ascii: "/"))
        guard steps.count > 1, let folder = FileName(bytes: steps[0]), let entry = FileName(bytes: steps[1]),
            let location = location(entry, in: folder)
        else { return .stray(word) }
        guard try JobLocator(self).isThere(location) else {
            throw Exit(.noInput, "sdspool why: \(escapedForPeople(Array(word.utf8))) is not there")
        }
        return .location(location)
    }
}
