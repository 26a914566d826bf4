// Whom a daemon tells of what has happened by running a program, and what that program is told.

import A1111
import A1111API
import Foundation
import Spool

/// What a program is run for.
package enum Hook: String, CaseIterable, Sendable {
    /// A result lies in done/: of a job, or of a file that held many.
    case done = "--on-done"
    /// An error lies in failed/, also of a file that is no job.
    case failed = "--on-failed"
    /// Nothing waits and nothing is being rendered any more, behind a job that was.
    case idle = "--on-idle"
}

/// One run of a hook.
struct HookCall: Equatable, Sendable {
    let hook: Hook
    /// What it is about, for the log.
    let subject: String
    /// What its environment has beside the daemon's own.
    let variables: [String: String]

    /// What an event is told by; `nil` where nobody is told.
    init?(_ event: Event, spool: String) {
        switch event {
        case .done(let ticket, let path, _, _, _): self.init(.done, ticket.name, ticket, path, spool)
        case .expanded(let ticket, let expansion): self.init(.done, ticket.name, ticket, expansion.path, spool)
        case .failed(let ticket, _, let path): self.init(.failed, ticket.name, ticket, path, spool)
        case .refused(let name, _, let path): self.init(.failed, name, nil, path, spool)
        case .recovered(.delivered(let ticket, let path)): self.init(.done, ticket.name, ticket, path, spool)
        case .recovered(.deliveredFailure(let ticket, let path)):
            self.init(.failed, ticket.name, ticket, path, spool)
        default: return nil
        }
    }

    private init(_ hook: Hook, _ name: JobName, _ ticket: Ticket?, _ path: String, _ spool: String) {
        self.hook = hook
        subject = " of \(name)"
        var variables = ["SDSPOOL_NAME": name.text, "SDSPOOL_SPOOL": spool]
        variables["SDSPOOL_STATUS"] = hook == .done ? "done" : "failed"
        variables["SDSPOOL_TICKET"] = ticket.map { Self.raw("\($0)", $0.name) }
        variables["SDSPOOL_FOLDER"] = Self.raw(path, name)
        self.variables = variables
    }

    private init(idle spool: String) {
        hook = .idle
        subject = ""
        variables = ["SDSPOOL_STATUS": "idle", "SDSPOOL_SPOOL": spool]
    }

    static func idle(spool: String) -> HookCall { HookCall(idle: spool) }

    /// Paths are told as logs may show them; a program needs the name as it is.
    private static func raw(_ shown: String, _ name: JobName) -> String {
        guard name.description != name.text,
            let place = shown.range(of: name.description, options: [.backwards, .literal])
        else { return shown }
        return shown.replacingCharacters(in: place, with: name.text)
    }

    /// The environment of the program. What the daemon alone is to have is not in it: the passwords of a server and of the gateway,
    /// and the way to tell systemd that the service is ready.
    func environment(from own: [String: String]) -> [String: String] {
        let hidden: Set = ["NOTIFY_SOCKET", "SDSPOOL_API_AUTH", "WATCHDOG_PID", "WATCHDOG_USEC"]
        var environment = own.filter { name, _ in !hidden.contains(name) }
        environment["SDSPOOL_SERVER"] = own["SDSPOOL_SERVER"].flatMap { ServerAddress($0)?.description }
        // A ticket of an outer daemon is none of this call.
        for name in ["SDSPOOL_TICKET", "SDSPOOL_NAME", "SDSPOOL_FOLDER"] { environment[name] = nil }
        return environment.merging(variables) { $1 }
    }
}
