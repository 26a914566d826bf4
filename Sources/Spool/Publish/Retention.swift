// Which results may go, and how: the oldest first, and each as a whole.

import Foundation
import Linux

/// What is to be kept of done/.
package struct Retention: Hashable, Sendable {
    /// What is known of a result before it is opened.
    package struct Entry: Hashable, Sendable {
        /// Its folder in done/.
        package let name: FileName
        /// When it was finished.
        package let finished: Timestamp
        /// Of all files in it; 0 where no limit asks for it.
        package let bytes: Int64

        /// - Parameter bytes: of all files in it.
        package init(name: FileName, finished: Timestamp, bytes: Int64) {
            self.name = name
            self.finished = finished
            self.bytes = bytes
        }
    }

    /// What is older goes.
    package var age: Duration?
    /// Of more than so many the oldest go.
    package var count: Int?
    /// Of more bytes than that the oldest go.
    package var bytes: Int64?
    /// So many of the newest stay, whatever their age.
    package var atLeast = 0

    /// Keeps all.
    package init() {}

    /// What nobody has asked by its age is not touched before that: somebody may be about to collect it.
    static let youth = Duration.seconds(86400)

    /// Adds a limit as it is written: `30d`, `12h`, `45m` for an age, `1000` for a number, `10G`, `500M` for a size
    /// (powers of 1024). False where it is none of these.
    package mutating func add(_ limit: String) -> Bool {
        let digits = limit.prefix { $0.isASCII && $0.isNumber }
        guard let number = Int64(digits), number < 1 << 40 else { return false }
        let unit = limit.dropFirst(digits.count)
        if let seconds = ["d": 86400, "h": 3600, "m": 60][unit] as Int64? {
            age = .seconds(number * seconds)
        } else if let shift = ["K": 10, "M": 20, "G": 30, "T": 40][unit] as Int64? {
            guard number < 1 << 22 else { return false }
            bytes = number << shift
        } else if unit.isEmpty, number > 0 {
            count = Int(number)
        } else {
            return false
        }
        return true
    }

    /// Whether nothing but its age says whether a result goes.
    fileprivate var isByAgeAlone: Bool { age != nil && count == nil && bytes == nil && atLeast == 0 }

    /// Whether the limit by age takes what was finished then.
    fileprivate func isTooOld(_ finished: Timestamp, at now: Timestamp) -> Bool {
        age.map { .microseconds(now.microseconds - finished.microseconds) > $0 } ?? false
    }

    /// The results that go, the oldest first. A limit by number or size takes none that is younger than a day, unless the
    /// age that was asked for is shorter than that.
    package func victims(among entries: [Entry], at now: Timestamp) -> [FileName] {
        let newestFirst = entries.sorted { ($0.finished, $0.name) > ($1.finished, $1.name) }
        func age(_ entry: Entry) -> Duration { .microseconds(now.microseconds - entry.finished.microseconds) }
        let youth = min(Self.youth, self.age ?? Self.youth)
        var sum: Int64 = 0
        var gone: [FileName] = []
        for (index, entry) in newestFirst.enumerated() {
            sum = Self.sum(sum, entry.bytes)
            guard index >= atLeast else { continue }
            let isTooOld = self.isTooOld(entry.finished, at: now)
            let isTooMany = count.map { index >= $0 } ?? false || bytes.map { sum > $0 } ?? false
            if isTooOld || isTooMany && age(entry) > youth { gone.append(entry.name) }
        }
        return gone.reversed()
    }

    /// Files with holes are as large as anybody likes.
    fileprivate static func sum(_ bytes: Int64, _ more: Int64) -> Int64 {
        Int64(clamping: Int128(bytes) + Int128(more))
    }
}

extension Results {
    /// Takes the results away that need not be kept, and gives their names. One is out of sight in one step, before the
    /// first of its files goes. One that cannot be removed keeps no other; its error is thrown when they are gone.
    ///
    /// - Parameters:
    ///   - memory: of earlier looks, for whoever looks again and again.
    ///   - trial: nothing is touched.
    package func prune(
        _ retention: Retention, at now: Timestamp = .now, memory: ResultMemory = ResultMemory(), trial: Bool = false
    ) throws(SystemError) -> [FileName] {
        let entries = try spool.done.entries()
        var trouble: SystemError?
        func remove(_ entry: FileName) {
            do throws(SystemError) { try spool.done.removeAll(entry) } catch { trouble = trouble ?? error }
        }
        if !trial {
            // What an earlier call was stopped at.
            for entry in entries where entry.bytes.starts(with: SpoolNames.going.bytes) { remove(entry) }
        }
        var results: [Retention.Entry] = []
        var contents: [ResultMemory.Key: ResultMemory.Content] = [:]
        for name in entries where name.bytes.first != UInt8(ascii: ".") {
            guard let status = try spool.done.status(of: name), status.kind == .directory else { continue }
            let changed = Timestamp(microseconds: status.modified / 1000)
            // Whatever it says, it stays, and no other goes for it.
            if retention.isByAgeAlone, !retention.isTooOld(changed, at: now) { continue }
            do throws(SystemError) {
                let key = ResultMemory.Key(status)
                let content = if let known = memory.content(of: key) { known } else { try resultContent(name) }
                contents[key] = content
                guard case .result(let word) = content else { continue }
                let bytes = retention.bytes == nil ? 0 : try size(of: name)
                let finished = Retention.moment(word: word, changed: changed, now: now)
                results.append(Retention.Entry(name: name, finished: finished, bytes: bytes))
            } catch {
                // It keeps no other from going.
                trouble = trouble ?? error
            }
        }
        memory.replace(by: contents)
        var victims: [FileName] = []
        for name in retention.victims(among: results, at: now) where try isResult(name) { victims.append(name) }
        guard !trial else { return victims }
        for name in victims {
            // A name of its own: somebody else may be at it, too.
            guard let going = FileName(bytes: SpoolNames.going.bytes + name.bytes.prefix(200)) else { continue }
            do throws(SystemError) {
                try spool.done.rename(name, to: spool.done, as: going)
            } catch {
                if !error.isMissing { trouble = trouble ?? error }
                continue
            }
            remove(going)
        }
        if let trouble { throw trouble }
        return victims
    }

    /// Of all files in it; 0 for one that is gone.
    private func size(of name: FileName) throws(SystemError) -> Int64 {
        guard let folder = try spool.done.directoryIfThere(name) else { return 0 }
        var size: Int64 = 0
        for entry in try folder.entries() { size = Retention.sum(size, try folder.status(of: entry)?.size ?? 0) }
        return size
    }
}
