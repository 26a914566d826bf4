// The command line: which subcommand, and how it ends.

import A1111
import Foundation
import Linux

@main
struct SDSpool {
    static let version = "0.1.0"

    static let help = """
        sdspool, a print spooler for Stable Diffusion: drop a JSON file into a folder, get pictures in another.

        usage: sdspool run  [--spool DIR] [--server URL] [OPTION]…
               sdspool demo [--spool DIR] [FILE]…
               sdspool cancel [--spool DIR] NAME…
               sdspool check [--server URL] FILE…
               sdspool --help | --version

          run     serve a spool: watch DIR/inbox, render at an AUTOMATIC1111 server, publish in DIR/done
          demo    show it with a stand-in server that draws test cards: no GPU, ends by itself
          cancel  take jobs away that wait, and stop one that is being rendered
          check   tell what job files would do, and which of their keys A1111 would ignore

        `sdspool COMMAND --help` tells the options of a command.
        """

    static func main() async {
        Signals.ignoreThoseThatKill()
        var words = Array(CommandLine.arguments.dropFirst())
        do {
            switch words.isEmpty ? nil : words.removeFirst() {
            case "run": try await Run.main(words)
            case "demo": try await Demo.main(words)
            case "cancel": try Cancel.main(words)
            case "check": try await Check.main(words)
            case "--help", "-h", "help": print(help)
            case "--version": print("sdspool \(version)")
            case nil: throw Exit(.usage, help)
            case let word?:
                let near = nearest(to: word, among: ["run", "demo", "cancel", "check"]).first.map {
                    "; did you mean \($0)?"
                }
                throw Exit(.usage, "sdspool: no command \"\(word)\"\(near ?? ""); see sdspool --help")
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
        case software = 70
        case inputOutput = 74
        case tryLater = 75
        case configuration = 78
    }

    let code: Code
    let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    func tell() -> Never {
        FileHandle.standardError.write(Data((message + "\n").utf8))
        exit(code.rawValue)
    }
}
