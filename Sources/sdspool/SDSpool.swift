// The command line: which subcommand, and how it ends.

import A1111
import Dispatch
import Foundation
import Linux

@main
struct SDSpool {
    static let version = "0.1.0"

    static let help = """
        sdspool, a print spooler for Stable Diffusion: drop a JSON file into a folder, get pictures in another.

        usage: sdspool COMMAND [--spool DIR] [OPTION]… [NAME or FILE]…

        \(Subcommand.all.map(line).joined(separator: "\n"))

        A spool is ./spool, or $SDSPOOL_DIR, or what --spool says. `sdspool COMMAND --help` tells the options of a command.
        """

    private static func line(_ command: Subcommand) -> String {
        "  \(command.name.padding(toLength: 11, withPad: " ", startingAt: 0)) \(command.summary)"
    }

    static func main() {
        Descriptor.occupyStandardNumbers()
        Task(executorPreference: TaskQueueExecutor.shared) {
            await run()
            finishTalking()
            exit(Exit.Code.ok.rawValue)
        }
        // Signals and timers come here; tasks run elsewhere.
        dispatchMain()
    }

    private static func run() async {
        Signals.ignoreThoseThatKill()
        var words = Array(CommandLine.arguments.dropFirst())
        do {
            switch words.isEmpty ? nil : words.removeFirst() {
            case "--help", "-h", "help": answer(help)
            case "--version": answer("sdspool \(version)")
            case nil: throw Exit(.usage, help)
            case let word?:
                guard let command = Subcommand.all.first(where: { $0.name == word }) else {
                    let near = nearest(to: word, among: Subcommand.all.map(\.name)).first.map {
                        "; did you mean \($0)?"
                    }
                    throw Exit(.usage, "sdspool: no command \"\(word)\"\(near ?? ""); see sdspool --help")
                }
                do {
                    try await command.run(words)
                } catch let error as SystemError where error.crossesFilesystems {
                    throw Exit(
                        .configuration,
                        "sdspool \(word): \(error); the two folders lie on different filesystems or mounts here. Run this where "
                            + "the spool is mounted as a whole.")
                } catch let error as SystemError {
                    throw Exit(.inputOutput, "sdspool \(word): \(error)")
                }
            }
        } catch let exit as Exit {
            exit.tell()
        } catch {
            Exit(.software, "sdspool: \(error)").tell()
        }
    }
}

/// The end of the process, with a word about it.
struct Exit: Error {
    /// The codes of sysexits(3).
    enum Code: Int32 {
        case ok = 0
        case failed = 1
        case usage = 64
        case badData = 65
        case noInput = 66
        case unavailable = 69
        case software = 70
        case inputOutput = 74
        case tryLater = 75
        case noPermission = 77
        case configuration = 78
    }

    let code: Code
    let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    func tell() -> Never {
        talk(message + "\n")
        finishTalking()
        exit(code.rawValue)
    }
}
