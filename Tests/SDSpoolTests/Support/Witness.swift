// What the processes and the spools of a failing test said last, printed below the test that failed.
//
// `Program` and `TestSpool` register with the witness of the test that makes them, so a test says nothing about it. Its
// suite says `@Suite(.witnessed)`: Swift Testing tells only a trait whether a test has failed. A suite that forgets it fails.

import Foundation
import Synchronization
import Testing

/// Hears what is said while a test case runs.
final class Witness: Sendable {
    @TaskLocal fileprivate static var current: Witness?

    private struct Heard {
        var hasFailed = false
        var statements: [@Sendable () -> String] = []
    }
    private let heard = Mutex(Heard())

    /// That of the test that calls this; `nil` outside of tests.
    static func here() -> Witness? {
        if Test.current != nil, current == nil {
            Issue.record("nobody would hear what the daemons of a failing test said: say @Suite(.witnessed)")
        }
        return current
    }

    /// - Parameter statement: is asked if the test fails, at its end, and must not keep alive what it tells of.
    func hears(_ statement: @escaping @Sendable () -> String) { heard.withLock { $0.statements.append(statement) } }

    fileprivate func failed() { heard.withLock { $0.hasFailed = true } }

    /// Runs `body` with a witness of its own, which speaks if an issue is recorded there or an error thrown.
    static func attends(_ what: String, _ body: () async throws -> Void) async rethrows {
        let witness = Witness()
        do {
            try await $current.withValue(witness, operation: body)
        } catch {
            witness.failed()
            witness.speaks(of: what)
            throw error
        }
        witness.speaks(of: what)
    }

    private func speaks(of what: String) {
        let (hasFailed, statements) = heard.withLock { ($0.hasFailed, $0.statements) }
        guard hasFailed else { return }
        // A test of many daemons fails at one of the last: the first issue ends most tests.
        let said = statements.suffix(20).map { $0() }
        let text = "──── what was said in \"\(what)\":\n\(said.joined(separator: "\n"))\n────\n"
        FileHandle.standardError.write(Data(text.utf8))
    }
}

/// The trait of every suite that starts processes or makes spools.
struct Witnessed: SuiteTrait, TestTrait, TestScoping {
    var isRecursive: Bool { true }

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        let listening: IssueHandlingTrait = .compactMapIssues { issue in
            Witness.current?.failed()
            return issue
        }
        try await Witness.attends(test.displayName ?? test.name) {
            try await listening.provideScope(for: test, testCase: testCase, performing: function)
        }
    }
}

extension Trait where Self == Witnessed {
    static var witnessed: Self { Witnessed() }
}
