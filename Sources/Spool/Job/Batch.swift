// Many jobs in one file: an array of them, one a line, or one with a matrix. Read whole before anything is made of it:
// either all of its parts are jobs, or the file is none.

import Foundation
import JSONText

/// What a dropped file turned out to be.
package enum Submission: Sendable {
    /// One job.
    case job(JobFile)
    /// Several, or one that is in a file for several.
    case batch(Batch)

    /// Reads a job file of that kind. Throws ``JobFileError``.
    package init(_ bytes: Data, kind: JobFileKind) throws(JobFileError) {
        let text = try JobFile.utf8(bytes)
        switch kind {
        case .lines: self = .batch(try Batch(lines: text))
        case .json:
            let first = text.first { ![0x20, 0x09, 0x0a, 0x0d].contains($0) }
            if first == UInt8(ascii: "[") {
                self = .batch(try Batch(array: text))
                return
            }
            let job: JobFile
            do throws(JobFileError) {
                job = try JobFile(text: text)
                if job.jobOptions.matrix == nil {
                    self = .job(job)
                    return
                }
                self = .batch(try Batch(text: text, of: [Batch.Piece(job, at: 0..<text.count)]))
            } catch {
                throw error.placed(in: text)
            }
        }
    }
}

extension Submission {
    /// Throws ``JobFileError`` where one of the jobs is none for any server.
    package func check() throws(JobFileError) {
        switch self {
        case .job(let job): try job.check()
        case .batch(let batch):
            var first: JobFileError?
            batch.forEachSample { number, job in
                guard first == nil else { return }
                do throws(JobFileError) { try job.check() } catch {
                    first = JobFileError(message: "job \(number) of \(batch.count): \(error.message)")
                }
            }
            if let first { throw first }
        }
    }
}

/// The jobs of one file. Holds the file's text, and makes each part's own text when somebody asks for it.
package struct Batch: Sendable {
    /// A job that is written in the file: one part, or with a matrix all combinations of it.
    struct Piece: Sendable {
        /// Of its object in the text, in bytes.
        let place: Range<Int>
        let priority: UInt8
        /// A matrix is read again when its parts are made: taken apart, a file takes many times its size.
        let hasMatrix: Bool
        /// Of its parts.
        let count: Int
        /// Of their texts, in bytes.
        let size: Int

        init(_ job: JobFile, at place: Range<Int>) throws(JobFileError) {
            self.place = place
            priority = job.jobOptions.priority
            hasMatrix = job.jobOptions.matrix != nil
            count = job.jobOptions.matrix?.count ?? 1
            size =
                if let matrix = job.jobOptions.matrix { matrix.size(of: try job.withoutMatrix.text.count) } else {
                    place.count
                }
        }
    }

    /// A piece taken apart.
    private struct Template {
        /// The piece as it was written.
        let text: Data
        /// With the object that all combinations are made of: the job without its matrix.
        let matrix: (matrix: Matrix, object: ObjectText)?
    }

    /// One job of them.
    struct Part {
        /// From 1.
        let number: Int
        /// Of the piece that it comes from, from 0.
        let piece: Int
        let priority: UInt8
        /// The text of its job file.
        let text: Data
        /// What its matrix sets; empty where it has none.
        let choices: [Matrix.Choice]
    }

    /// At most so many parts in a file.
    static let limit = 100_000
    /// At most so many bytes in the texts of all its parts.
    static let sizeLimit = 1 << 30

    private let text: Data
    private let pieces: [Piece]
    /// How many parts there are.
    package let count: Int

    init(text: Data, of pieces: [Piece]) throws(JobFileError) {
        self.text = text
        self.pieces = pieces
        count = pieces.reduce(0) { $0 + $1.count }
        guard count <= Self.limit else { throw Self.tooMany("\(count)") }
        let size = pieces.reduce(0) { $0 + $1.size }
        guard size <= Self.sizeLimit else {
            throw JobFileError(
                message: "the \(count) jobs of the file would take \(size >> 20) MiB, and at most "
                    + "\(Self.sizeLimit >> 20) are taken: put the pictures that are in it into assets/ and name them")
        }
    }

    private static func tooMany(_ count: String) -> JobFileError {
        JobFileError(message: "the file makes \(count) jobs; at most \(limit) are taken from one")
    }

    /// An array of jobs.
    init(array text: Data) throws(JobFileError) {
        let array: ArrayText
        do {
            array = try ArrayText(text)
        } catch let error as JSONSyntaxError {
            throw JobFileError(error, in: text)
        } catch {
            throw JobFileError(message: "\(error)")
        }
        guard !array.elements.isEmpty else { throw JobFileError(message: "the list is empty: there is no job in it") }
        // Before the first is looked at: millions of them would take minutes and all memory.
        guard array.elements.count <= Self.limit else { throw Self.tooMany("\(array.elements.count)") }
        var pieces: [Piece] = []
        for (index, place) in array.elements.enumerated() {
            do throws(JobFileError) {
                guard let object = try? ObjectText(array[place]) else {
                    throw JobFileError(message: "it is no object like {\"prompt\": …}")
                }
                pieces.append(try Piece(JobFile(object), at: place))
            } catch {
                throw error.placed(in: text, at: place.lowerBound, of: "job \(index + 1) of the list")
            }
        }
        try self.init(text: text, of: pieces)
    }

    /// A job a line.
    init(lines text: Data) throws(JobFileError) {
        var pieces: [Piece] = []
        var start = text.startIndex
        while start < text.endIndex {
            let end = text[start...].firstIndex(of: UInt8(ascii: "\n")) ?? text.endIndex
            var line = text[start..<end]
            if line.last == UInt8(ascii: "\r") { line = line.dropLast() }
            let place = line.startIndex - text.startIndex..<line.endIndex - text.startIndex
            if line.contains(where: { ![0x20, 0x09, 0x0d].contains($0) }) {
                guard pieces.count < Self.limit else { throw Self.tooMany("more than \(Self.limit)") }
                do throws(JobFileError) {
                    let object = try Self.object(line, hasEnded: end < text.endIndex, in: text)
                    pieces.append(try Piece(JobFile(object), at: place))
                } catch {
                    throw error.placed(in: text, at: place.lowerBound)
                }
            }
            start = end < text.endIndex ? end + 1 : end
        }
        guard !pieces.isEmpty else {
            throw JobFileError(message: "the file is empty: there is no job in it", mayStillArrive: true)
        }
        try self.init(text: text, of: pieces)
    }

    /// Throws an error that names its place in `text`, of which `line` is a slice.
    private static func object(_ line: Data, hasEnded: Bool, in text: Data) throws(JobFileError) -> ObjectText {
        do {
            return try ObjectText(line)
        } catch let error as JSONSyntaxError {
            // More text may come behind a line that has no end yet, and never within one that has.
            let isBroken = error.kind == .incomplete && hasEnded
            throw JobFileError(
                JSONSyntaxError(
                    kind: isBroken ? .malformed : error.kind,
                    problem: isBroken
                        ? "the line ends before its job does; each job of a .jsonl file stands in one line"
                        : error.problem,
                    offset: line.startIndex - text.startIndex + error.offset), in: text)
        } catch {
            throw JobFileError(message: "\(error)")
        }
    }

    /// The most urgent of its parts: where the whole file has to wait, it waits there.
    var priority: UInt8 { pieces.map(\.priority).min() ?? Ticket.usualPriority }

    /// Makes each part, in order, and lets it go before the next.
    func forEach<Failure>(_ body: (Part) throws(Failure) -> Void) throws(Failure) {
        var number = 0
        for index in pieces.indices {
            let template = template(of: pieces[index])
            for combination in 0..<pieces[index].count {
                number += 1
                try body(part(number, combination, of: index, template))
            }
        }
    }

    private func template(of piece: Piece) -> Template {
        let written = text[text.startIndex + piece.place.lowerBound..<text.startIndex + piece.place.upperBound]
        // It was read before, so there is nothing to throw.
        guard piece.hasMatrix, let job = try? JobFile(text: written), let matrix = job.jobOptions.matrix,
            let object = try? job.withoutMatrix
        else { return Template(text: written, matrix: nil) }
        return Template(text: written, matrix: (matrix, object))
    }

    private func part(_ number: Int, _ combination: Int, of index: Int, _ template: Template) -> Part {
        let choices = template.matrix?.matrix.combination(combination) ?? []
        let made = template.matrix?.object.text(removing: [], setting: choices.map { ($0.key, $0.value) })
        return Part(
            number: number, piece: index, priority: pieces[index].priority, text: made ?? template.text,
            choices: choices)
    }

    /// Calls `body` with the jobs to look at before the file is dropped and the number of each: all that are written in
    /// it, of a matrix the first combination.
    package func forEachSample(_ body: (_ number: Int, _ job: JobFile) -> Void) {
        var number = 1
        for index in pieces.indices {
            // It was read as a job before.
            let part = part(number, 0, of: index, template(of: pieces[index]))
            if let job = try? JobFile(text: part.text) { body(number, job) }
            number += pieces[index].count
        }
    }
}

extension Batch {
    /// Calls `body` with jobs that hold, together, all values that any part has: of each matrix the first combination, and
    /// a job of each value alone.
    func forEachTelling(_ body: (JobFile) -> Void) {
        forEachSample { body($1) }
        for piece in pieces where piece.hasMatrix {
            for axis in template(of: piece).matrix?.matrix.axes ?? [] {
                for value in axis.values {
                    let text = Data("{".utf8) + JSONString.encoded(axis.key) + Data(":".utf8) + value + Data("}".utf8)
                    if let job = try? JobFile(text: text) { body(job) }
                }
            }
        }
    }
}

extension JobFile {
    /// The job with the matrix taken out of its orders, and without orders where nothing is left of them.
    fileprivate var withoutMatrix: ObjectText {
        get throws(JobFileError) {
            do {
                let jobOptions = try object.value(of: Self.optionsKey).map { try ObjectText($0) }
                let rest = jobOptions?.members.contains { $0.key != "matrix" } ?? false
                let kept = rest ? jobOptions?.text(removing: ["matrix"], setting: []) : nil
                return try ObjectText(
                    object.text(
                        removing: kept == nil ? [Self.optionsKey] : [],
                        setting: kept.map { [(Self.optionsKey, $0)] } ?? []))
            } catch {
                throw JobFileError(message: "\(error)")
            }
        }
    }
}
