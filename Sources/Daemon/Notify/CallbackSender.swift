// Delivers the messages in the outbox, one after the other, until there are none; then it sleeps.

import A1111
import Foundation
import Linux
import Spool

/// Sends the results of jobs to those whom they name.
actor CallbackSender {
    /// It looks up names and reads files.
    private let thread = SerialQueueExecutor(label: "postman")
    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    private nonisolated let spool: Spool
    /// Hosts that may be told wherever they are, in lower case.
    private let allowed: Set<String>
    private nonisolated let emit: @Sendable (Event) -> Void
    private let wakes: AsyncStream<Void>
    private nonisolated let wake: AsyncStream<Void>.Continuation
    private var schedule = CallbackSchedule(first: firstWait)
    private var alarm: Task<Void, Never>?

    private static let firstWait: Duration = {
        #if DEBUG
            // Nobody waits for seconds in a test.
            if let text = ProcessInfo.processInfo.environment["SDSPOOL_CALLBACK_WAIT"], let seconds = Double(text) {
                return .seconds(seconds)
            }
        #endif
        return .seconds(5)
    }()

    /// Of the daemon's end.
    private static let patience = Duration.seconds(2)

    init(_ spool: Spool, allowed: Set<String>, emit: @escaping @Sendable (Event) -> Void) {
        self.spool = spool
        self.allowed = Set(allowed.map { $0.lowercased() })
        self.emit = emit
        (wakes, wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Something has happened: where a message was written for it, it is due.
    nonisolated func record(_ event: Event) {
        switch event {
        case .done, .failed, .refused: if !spool.posted.isEmpty { wake.yield() }
        default: break
        }
    }

    /// Delivers until the task is cancelled, beginning with what an earlier life has left. What is under way then stays in
    /// the outbox.
    func run() async {
        defer { alarm?.cancel() }
        // Whatever recovery has written lies there, too.
        _ = spool.posted.take { _ in true }
        guard let left = try? await retryUntilDone(emit: emit, { _ in try Outbox(spool).messages() }) else { return }
        for ticket in left { await take(ticket) }
        await deliver()
        for await _ in wakes {
            do {
                for ticket in try spool.posted.take(where: Outbox(spool).isPublished) { await take(ticket) }
            } catch {
                if let error = error as? SystemError { emit(.diskError(error)) }
                wake(in: Self.firstWait)
            }
            await deliver()
        }
    }

    /// Lets `delivery`, which runs it, end with what is due now; not for long, and not for a look-up of a name: what is left
    /// the next start delivers.
    nonisolated func finish(_ delivery: Task<Void, Never>) async {
        wake.finish()
        _ = await TaskQueueExecutor.wait(for: delivery, atMost: Self.patience)
        delivery.cancel()
    }

    /// Puts a message into its receiver's line.
    private func take(_ ticket: Ticket) async {
        guard let message = await message(of: ticket) else { return await remove(ticket) }
        schedule.add(ticket, to: message.callback.description, now: .now)
    }

    private func deliver() async {
        while !Task.isCancelled {
            switch schedule.next(now: .now) {
            case .nothing: return
            case .wait(let moment): return wake(in: moment - .now)
            case .send(let ticket, let receiver): await send(ticket, to: receiver)
            }
        }
    }

    private func wake(in time: Duration) {
        alarm?.cancel()
        alarm = Task(executorPreference: TaskQueueExecutor.shared) { [wake] in
            do { try await TaskQueueExecutor.rest(for: time) } catch { return }
            wake.yield()
        }
    }

    private func send(_ ticket: Ticket, to receiver: String) async {
        guard let message = await message(of: ticket) else {
            // Somebody has taken it away.
            return schedule.isOver(with: receiver, now: .now)
        }
        do {
            let status = try await deliver(message)
            switch DeliveryResult(status: status) {
            case .taken:
                emit(.callbackTold(ticket, receiver))
                await isOver(ticket, receiver)
            case .never: await giveUp(ticket, receiver, "it answered \(status)")
            case .later: await failed(message, receiver, "it answered \(status)")
            }
        } catch let refusal as Refused {
            await giveUp(ticket, receiver, refusal.reason)
        } catch let failure as Failure {
            await failed(message, receiver, failure.message)
        } catch let error as SystemError {
            await failed(
                message, receiver, error.call == "getaddrinfo" ? "its name does not resolve" : error.description)
        } catch {
            // The daemon ends: the next one delivers it.
        }
    }

    /// - Parameter receiver: whose line it stands in, whatever somebody has made of the message since.
    private func failed(_ message: OutboxMessage, _ receiver: String, _ reason: String) async {
        let age = Duration.microseconds(Timestamp.now.microseconds - message.since.microseconds)
        guard age < CallbackSchedule.patience else {
            return await giveUp(message.ticket, receiver, "\(reason); it was tried for a day")
        }
        emit(.callbackFailed(message.ticket, receiver, reason, after: schedule.failed(receiver, now: .now)))
    }

    private func giveUp(_ ticket: Ticket, _ receiver: String, _ reason: String) async {
        emit(.callbackGivenUp(ticket, receiver, reason))
        await isOver(ticket, receiver)
    }

    private func isOver(_ ticket: Ticket, _ receiver: String) async {
        await remove(ticket)
        schedule.isOver(with: receiver, now: .now)
    }

    // MARK: The disk

    private func message(of ticket: Ticket) async -> OutboxMessage? {
        // The end of the daemon: what it is told then is not looked at any more.
        try? await retryUntilDone(emit: emit) { _ in try Outbox(spool).message(of: ticket) }
    }

    private func remove(_ ticket: Ticket) async {
        // As above; it is sent once more then.
        guard !Task.isCancelled else { return }
        try? await retryUntilDone(emit: emit) { _ in try Outbox(spool).remove(ticket) }
    }

    // MARK: The network

    /// It must not be told.
    private struct Refused: Error { let reason: String }

    private func deliver(_ message: OutboxMessage) async throws -> Int {
        let callback = message.callback
        let (contentType, body) = try parcel(message)
        let notice = CallbackRequest(
            to: callback.url, authorization: callback.authorization, receiver: callback.description,
            headers: [
                ("SDSpool-Ticket", Self.ascii("\(message.ticket)")), ("SDSpool-State", message.state.rawValue),
            ], contentType: contentType, body: body)
        let isAllowed = allowed.contains(callback.host)
        let peers = try ResolvedAddress.all(of: callback.host, port: callback.port)
        // What is looked at is what is connected to: a name that leads elsewhere a moment later leads nobody there.
        let near = isAllowed ? peers : peers.filter(\.isNear)
        guard !near.isEmpty else {
            throw Refused(
                reason: "it is neither on this machine nor in a private network, and no --allow-callback names it")
        }
        guard callback.isSecure else { return try await notice.send(to: near) }
        // TLS looks a name up once more.
        guard isAllowed || ResolvedAddress.isNumeric(callback.host) else {
            throw Refused(reason: "https by a name needs --allow-callback \(callback.host)")
        }
        return try await notice.send(to: nil)
    }

    /// What is sent, as it was asked for.
    private func parcel(_ message: OutboxMessage) throws -> (contentType: String, body: RequestBody) {
        guard message.callback.form == .multipart else { return ("application/json", RequestBody(message.body)) }
        var form = MultipartForm()
        form.add("task_id", message.ticket.name.text)
        form.add("status", message.state.rawValue)
        if let (folder, files) = try Outbox(spool).pictures(of: message) {
            for name in files {
                guard let file = try Self.picture(name, in: folder) else { continue }
                let text = name.text ?? "\(name)"
                let suffix = text.split(separator: ".").last.map { $0.lowercased() } ?? ""
                form.add("files", file, called: text, type: "image/\(suffix == "jpg" ? "jpeg" : suffix)")
            }
        }
        return (form.contentType, form.body)
    }

    /// `nil` for one that somebody has taken away since or has kept to himself, or has put something else in the place of: a file with holes is as
    /// long as anybody likes.
    private static func picture(_ name: FileName, in folder: Directory) throws(SystemError) -> PictureFile? {
        guard let status = try folder.status(of: name), status.kind == .file, status.size <= Assets.assetCap else {
            return nil
        }
        do throws(SystemError) {
            return try PictureFile(folder.file(name))
        } catch  where error.isMissing || error.isForbidden {
            return nil
        }
    }

    /// RFC 9110 section 5.5: what is not visible ASCII is escaped as in a URL.
    private static func ascii(_ text: String) -> String {
        let visible = CharacterSet(charactersIn: "!"..."~").subtracting(CharacterSet(charactersIn: "%"))
        return text.addingPercentEncoding(withAllowedCharacters: visible) ?? ""
    }
}
