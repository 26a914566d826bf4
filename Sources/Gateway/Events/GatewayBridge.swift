// From the daemon's events to the clients of its HTTP server.

import Daemon
import Spool
import Synchronization

/// Tells the gateway, as soon as there is one, what the daemon tells.
package final class GatewayBridge: Sendable {
    private let gateway = Mutex<HTTPGateway?>(nil)

    package init() {}

    package func begin(_ gateway: HTTPGateway) { self.gateway.withLock { $0 = gateway } }

    package func record(_ event: Event) {
        guard let gateway = gateway.withLock({ $0 }) else { return }
        for one in JobEvent.all(of: event) { gateway.record(one) }
    }

    /// False where not all requests have ended in time.
    package func end(within limit: Duration) async -> Bool {
        await gateway.withLock { $0.take() }?.close(within: limit) ?? true
    }
}

extension JobEvent {
    /// What an event comes to at the gateway. The parts of a file stand in the line before it is gone from there: at no moment
    /// nobody goes before who comes behind them.
    fileprivate static func all(of event: Event) -> [JobEvent] {
        guard case .expanded(let ticket, let expansion) = event else { return JobEvent(event).map { [$0] } ?? [] }
        return expansion.parts.map { .accepted($0.ticket) } + [.done(ticket, seconds: nil)]
    }

    private init?(_ event: Event) {
        switch event {
        case .accepted(let ticket), .queued(let ticket): self = .accepted(ticket)
        case .moved(let old, let new): self = .moved(old, to: new)
        case .started(let ticket, _): self = .started(ticket)
        case .requeued(let ticket), .retrying(let ticket, _, _): self = .putBack(ticket)
        case .cancelled(let ticket): self = .cancelled(ticket)
        case .done(let ticket, _, _, let seconds, _): self = .done(ticket, seconds: seconds)
        case .failed(let ticket, let message, _): self = .failed(ticket.name, ticket, message: message)
        case .refused(let name, let error, _): self = .failed(name, nil, message: error.message)
        default: return nil
        }
    }
}
