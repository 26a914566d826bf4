// What has to be true of the requests and the words of a daemon that was struck.

import Foundation
import StandIn
import Testing

extension CrashRun {
    /// At most one render for each death, and in order.
    func checkRenders(_ jobs: [CrashScenario.Job], _ strike: Strike, in spool: TestSpool, hasEnded: Bool) throws {
        let bodies = standIn.requests.map { Data($0.body) }
        var firsts: [(ticket: String, render: Int)] = []
        for job in jobs {
            guard let mark = job.mark else { continue }
            let renders = bodies.indices.filter { bodies[$0].range(of: mark) != nil }
            let limit = 1 + (hasEnded ? 1 : 0) + scenario.retries + (strike.troublesDisk ? 2 : 0)
            guard renders.count <= limit else {
                throw BadState(description: "\(job.name) was rendered \(renders.count) times")
            }
            guard Set(renders.map { bodies[$0] }).count <= 1 else {
                throw BadState(description: "\(job.name) was asked for in two ways")
            }
            if let first = renders.first, let ticket = try spool.ticket(of: job) { firsts.append((ticket, first)) }
        }
        // In that of their tickets: a process that is forked in the moment of a drop has its file open for a while, too, so
        // it may be whole behind the next one.
        firsts.sort { $0.ticket < $1.ticket }
        guard strike.troublesDisk || firsts.map(\.render) == firsts.map(\.render).sorted() else {
            throw BadState(description: "the order was lost: \(firsts)")
        }
    }
    /// What was rendered is what had to be: a job whose picture was lost once more, and each error costs one render at most.
    func checkLosses(_ jobs: [CrashScenario.Job], _ daemon: Program, hasEnded: Bool) throws {
        let bodies = standIn.requests.map { Data($0.body) }
        let said = daemon.lines
        var spare = 0
        for job in jobs {
            guard let mark = job.mark else { continue }
            let renders = bodies.count { $0.range(of: mark) != nil }
            let losses = said.count { line in
                let parts = line.split(separator: "/").map(String.init)
                guard line.hasPrefix("lost: "), parts.count > 2, let file = parts.last,
                    parts[parts.count - 2].hasSuffix("Z.\(job.name)")
                else { return false }
                return file.hasPrefix(".picture-") || file.hasPrefix("\(job.name)-")
            }
            guard renders >= 1 + losses else {
                throw BadState(
                    description: "\(job.name) lost its picture \(losses) times and was rendered \(renders) times")
            }
            spare += renders - 1
        }
        let errors = said.count { $0.hasPrefix("fault at call ") }
        guard spare <= errors + (hasEnded ? jobs.count : 0) else {
            throw BadState(description: "\(errors) errors cost \(spare) renders")
        }
    }
}

extension Program {
    /// The number of the call that opens the first dropped file.
    var firstRead: Int {
        1 + lines.filter { $0.hasPrefix("call ") }.prefix { !$0.contains(/openat .*\/inbox\/[a-z]/) }.count
    }

    /// On NFS a file that is open leaves a name in its folder when it is removed, and the folder cannot be removed.
    func hasClosedBeforeRemoving() throws {
        if let line = lines.first(where: { $0.hasPrefix("held at call ") }) { throw BadState(description: line) }
    }
}
