// sdspool submit: drop jobs, and say under which tickets they run.

import Daemon
import Foundation
import JSONText
import Linux
import Spool

enum Submit {
    static let help = """
        usage: sdspool submit [--spool DIR] [--wait] FILE…
               sdspool submit [--spool DIR] [--wait] [--name NAME] -
               sdspool submit [--spool DIR] [--wait] [--name NAME] --prompt TEXT [OPTION]…

        Drops job files, one that it reads from stdin (-), or one that it writes itself, and prints their tickets. A file
        that is no job is not dropped (exit code 65). With --wait it waits until they have ended and prints the paths of
        the pictures instead; exit code 1 says that a job failed.

          --prompt TEXT  --negative TEXT  --sampler NAME
          --steps N  --width N  --height N  --seed N  --cfg-scale X  --batch N
          --priority N   0 (first) to 9
          --name NAME    what the job is called (default: the file's name, or words of the prompt)
        """

    static let options: Set<String> = Set(["--spool", "--name", "--prompt", "--priority"]).union(strings.keys).union(
        numbers.keys)
    static let flags: Set<String> = ["--wait"]

    /// Options of a job that is written here, and the keys that they become.
    private static let strings = ["--negative": "negative_prompt", "--sampler": "sampler_name"]
    private static let numbers = [
        "--steps": "steps", "--width": "width", "--height": "height", "--seed": "seed", "--cfg-scale": "cfg_scale",
        "--batch": "batch_size",
    ]

    /// Something to be dropped.
    private struct Job {
        let content: Data
        let name: JobName
        let kind: JobFileKind
    }

    static func main(_ words: [String]) throws {
        let command = try JobCommand("submit", words, options: options, flags: flags, help: help)
        let jobs = try jobs(command.arguments)
        for job in jobs { try check(job) }
        var follow = try JobFollower(command.spool)
        let isAlone = try command.saysWhereNobodyServes()
        let dropped = try jobs.map { try Inbox(command.spool).drop($0.content, as: $0.name, kind: $0.kind) }
        let waits = command.arguments.has("--wait")
        var tickets: [Ticket] = []
        for file in dropped {
            let limit: Duration? = waits ? nil : isAlone ? .zero : TimeLimit.with(.seconds(10))
            if let ticket = try follow.ticket(of: file, within: limit) {
                tickets.append(ticket)
                if waits { talk("\(ticket)\n") } else { answer("\(ticket)") }
            } else {
                answer("\(command.spool.inbox.path)/\(file.file)")
                if !isAlone { talk("it is not taken yet; sdspool why \(file.name) tells more\n") }
            }
        }
        guard waits else { return }
        var isGood = tickets.count == dropped.count
        for ticket in tickets { isGood = try follow.tell(ticket, as: "submit") && isGood }
        if !isGood { exit(Exit.Code.failed.rawValue) }
    }

    private static func jobs(_ arguments: Arguments) throws -> [Job] {
        let name = arguments.value("--name")
        let written = Set(strings.keys).union(numbers.keys).union(["--prompt", "--priority"])
        if let prompt = arguments.value("--prompt") {
            guard arguments.operands.isEmpty else {
                throw Exit(.usage, "sdspool submit: either --prompt or files, not both")
            }
            return [
                Job(
                    content: try job(prompt, arguments), name: try jobName(name ?? JobName.words(of: prompt)),
                    kind: .json)
            ]
        }
        if let option = written.filter({ arguments.value($0) != nil }).min() {
            throw Exit(.usage, "sdspool submit: \(option) goes with --prompt; a job file says it itself")
        }
        guard !arguments.operands.isEmpty else {
            throw Exit(.usage, "sdspool submit: name a job file, or - for stdin, or give a --prompt")
        }
        guard name == nil || arguments.operands.count == 1 else {
            throw Exit(.usage, "sdspool submit: one --name for \(arguments.operands.count) files")
        }
        return try arguments.operands.map { file in
            let last = FileName(bytes: Array(file.utf8.split(separator: UInt8(ascii: "/")).last ?? []))
            let kind = last.flatMap(JobFileKind.init(of:)) ?? .json
            let content = try input(file, for: "submit")
            if file == "-" { return Job(content: content, name: try jobName(name ?? "stdin"), kind: .json) }
            let own = last.flatMap(JobName.init(dropped:))
            if name == nil, let own { return Job(content: content, name: own, kind: kind) }
            return Job(content: content, name: try jobName(name ?? last?.text ?? "job"), kind: kind)
        }
    }

    private static func jobName(_ text: String) throws -> JobName {
        guard let name = JobName(called: text) else {
            throw Exit(.usage, "sdspool submit: no job can be called \"\(escapedForPeople(Array(text.utf8)))\"")
        }
        return name
    }

    /// As the daemon will read it; the file itself is dropped as it is.
    private static func check(_ job: Job) throws {
        do throws(JobFileError) {
            let submission = try Submission(job.content, kind: job.kind)
            try submission.check()
        } catch {
            throw Exit(
                .badData, "sdspool submit: \(job.name) is no job: \(escapedForPeople(Array(error.message.utf8)))")
        }
    }

    private static func job(_ prompt: String, _ arguments: Arguments) throws -> Data {
        var members: [(String, JSONValue)] = [("prompt", .string(prompt))]
        for (option, key) in strings.sorted(by: <) {
            if let text = arguments.value(option) { members.append((key, .string(text))) }
        }
        for (option, key) in numbers.sorted(by: <) {
            guard let text = arguments.value(option) else { continue }
            // As it was typed: no number is rounded here.
            guard (try? JSONDecoder().decode(Double.self, from: Data(text.utf8)))?.isFinite == true else {
                throw Exit(
                    .usage, "sdspool submit: \(option) takes a number, not \"\(escapedForPeople(Array(text.utf8)))\"")
            }
            members.append((key, .raw(Data(text.utf8))))
        }
        if let text = arguments.value("--priority") {
            guard let priority = Int64(text), (0...9).contains(priority) else {
                throw Exit(.usage, "sdspool submit: --priority takes a whole number from 0 (first) to 9")
            }
            members.append((JobFile.optionsKey, .object([("priority", .integer(priority))])))
        }
        return JSONValue.object(members).document
    }
}
