// The gateway of sdspool run: what it was asked for, and what it is told of.

import AgentScheduler
import Daemon
import Foundation
import Gateway
import Linux
import Spool

/// What a gateway is asked for, and the gateway when it is open.
struct GatewayArguments: Sendable {
    static let options: Set<String> = ["--listen", "--api-auth", "--cors"]
    static let flags: Set<String> = ["--transparent"]

    private let options: HTTPGateway.Options

    /// `nil` where no gateway is wanted. Throws ``Exit``.
    init?(_ arguments: Arguments, _ options: DaemonOptions) throws {
        guard let text = arguments.value("--listen") else {
            for option in Self.options where arguments.value(option) != nil {
                throw Exit(.usage, "sdspool run: \(option) goes with --listen")
            }
            if arguments.has("--transparent") { throw Exit(.usage, "sdspool run: --transparent goes with --listen") }
            return nil
        }
        var gateway = HTTPGateway.Options(address: try Self.address(text), cap: options.cap)
        gateway.credentials = try Self.credentials(arguments.value("--api-auth", or: "SDSPOOL_API_AUTH"))
        gateway.origins = Set(arguments.all("--cors"))
        gateway.isTransparent = arguments.has("--transparent")
        gateway.allowsControl = options.allowsControl
        guard !gateway.credentials.isEmpty || gateway.address.host.hasPrefix("127.") else {
            throw Exit(
                .configuration,
                "sdspool run: --listen \(text) lets in everybody who reaches this machine: give --api-auth a file with "
                    + "USER:PASSWORD, or listen on 127.0.0.1")
        }
        self.options = gateway
    }

    private static func address(_ text: String) throws -> SocketAddress {
        let mistake = Exit(
            .usage, "sdspool run: --listen takes an IPv4 address and a port such as 127.0.0.1:7861, not \"\(text)\"")
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count <= 2, let port = parts.last.flatMap({ UInt16($0) }) else { throw mistake }
        let host = parts.count == 2 && parts[0] != "localhost" && parts[0] != "" ? parts[0] : "127.0.0.1"
        var address = in_addr()
        guard inet_pton(AF_INET, host, &address) == 1 else { throw mistake }
        return SocketAddress(host: host, port: port)
    }

    /// `USER:PASSWORD[,USER:PASSWORD]…` as A1111's option of that name has it, or the name of a file with one a line.
    private static func credentials(_ text: String?) throws -> [String] {
        guard let text else { return [] }
        let lines: [Substring]
        // The file first: a colon may stand in its path, which would be a user that nobody knows of.
        if text.contains(":"), !FileManager.default.fileExists(atPath: text) {
            lines = text.split(separator: ",")
        } else {
            do throws(SystemError) {
                lines = String(decoding: try input(text), as: UTF8.self).split(whereSeparator: \.isNewline)
            } catch {
                // Not by its name: that may be a password whose user was forgotten.
                throw Exit(
                    .noInput,
                    "sdspool run: the file with USER:PASSWORD a line for --api-auth cannot be read: \(error.reason)")
            }
        }
        guard !lines.isEmpty, lines.allSatisfy({ $0.contains(":") && !$0.hasPrefix(":") && !$0.hasSuffix(":") }) else {
            throw Exit(.configuration, "sdspool run: --api-auth: each line must be USER:PASSWORD")
        }
        return lines.map(String.init)
    }

    /// Opens the gateway of a spool that is being served. Throws ``Exit``.
    func open(_ daemon: Daemon) throws -> HTTPGateway {
        Self.allowManyClients()
        do throws(SystemError) {
            return try HTTPGateway(options, daemon, mounting: [AgentScheduler.routes])
        } catch {
            throw Exit(.unavailable, "sdspool run: nobody can listen on \(options.address): \(error.reason)")
        }
    }

    /// Each client that waits is two descriptors; the usual limit of a process is 1,024.
    private static func allowManyClients() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = max(limit.rlim_cur, min(limit.rlim_max, 16_384))
        // Where it is not allowed, there are fewer clients.
        _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
