// One job, many values: `{"seed": [1, 2, 3], "steps": [10, 20]}` stands for six jobs.

import Foundation
import JSONText

/// Lists of values by key, and all their combinations. The first key varies slowest.
package struct Matrix: Hashable, Sendable {
    /// A key of the request and what it is set to, one after the other.
    struct Axis: Hashable, Sendable {
        let key: String
        /// JSON, as it was written.
        let values: [Data]
    }

    /// One axis' part of a combination.
    struct Choice {
        let key: String
        /// JSON, as it was written.
        let value: Data
        /// Of the value in its list, from 1, and how many there are.
        let place: (number: Int, count: Int)
    }

    /// In the order in which they were written.
    let axes: [Axis]
    /// How many combinations there are.
    let count: Int

    /// Reads the value of `"sdspool"."matrix"`. Throws ``JobFileError``, with the place in the text that `text` is a
    /// slice of.
    init(_ text: Data) throws(JobFileError) {
        guard let object = try? ObjectText(text) else {
            throw JobFileError(
                message: "\(Self.spoken) must be an object of lists such as {\"seed\": [1, 2, 3]}", at: text.startIndex)
        }
        var axes: [Axis] = []
        var count = 1
        for member in object.members {
            func problem(_ words: String) -> JobFileError {
                JobFileError(
                    message: "\(Self.spoken).\"\(member.key)\" \(words)", at: text.startIndex + member.place.lowerBound)
            }
            if member.key == JobFile.optionsKey { throw problem("cannot be: what it says is for all combinations") }
            if axes.contains(where: { $0.key == member.key }) { throw problem("is there twice") }
            if axes.count == Self.axisLimit { throw problem("is one key more than \(Self.axisLimit)") }
            let value = text[text.startIndex + member.value.lowerBound..<text.startIndex + member.value.upperBound]
            guard let list = try? ArrayText(value) else { throw problem("must be a list of values such as [10, 20]") }
            if list.elements.isEmpty { throw problem("is an empty list: there would be no job") }
            axes.append(Axis(key: member.key, values: list.elements.map { list[$0] }))
            count = count.multipliedReportingOverflow(by: list.elements.count).partialValue
            // Each list is shorter than memory and `count` small up to here, so nothing has overflowed.
            if count > Batch.limit { throw problem("makes more than \(Batch.limit) combinations of it") }
        }
        if axes.isEmpty {
            throw JobFileError(
                message: "\(Self.spoken) is empty: name a key and its values, such as {\"seed\": [1, 2, 3]}",
                at: text.startIndex)
        }
        self.axes = axes
        self.count = count
    }

    /// At most so many keys. With two values each, seventeen make more combinations than are taken.
    private static let axisLimit = 64
    private static let spoken = "\"sdspool\".\"matrix\""

    /// The combination of that number, from 0.
    func combination(_ number: Int) -> [Choice] {
        var rest = number
        var choices: [Choice] = []
        for axis in axes.reversed() {
            let (others, index) = rest.quotientAndRemainder(dividingBy: axis.values.count)
            choices.append(Choice(key: axis.key, value: axis.values[index], place: (index + 1, axis.values.count)))
            rest = others
        }
        return choices.reversed()
    }

    /// How long the texts of all combinations are, where a job without any of these keys is `template` bytes long.
    func size(of template: Int) -> Int {
        axes.reduce(count * template) { sum, axis in
            // `"key": value, `
            let lengths = axis.values.reduce(0) { $0 + $1.count + axis.key.utf8.count + 6 }
            return sum + count / axis.values.count * lengths
        }
    }
}
