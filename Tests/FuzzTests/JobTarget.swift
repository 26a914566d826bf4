// A job file: one that is cut off may still arrive, and each part of one with many jobs is a job.

import A1111API
import Foundation
import JSONText

@testable import A1111
@testable import Spool

func fuzzJobs(_ input: Data) {
    var bytes = Bytes(input)
    let kind = bytes.next() & 1 == 0 ? JobFileKind.json : .lines
    let cut = bytes.number()
    let text = bytes.rest
    let submission: Submission
    do throws(JobFileError) {
        submission = try Submission(text, kind: kind)
    } catch {
        check(!error.message.isEmpty, "an error has words")
        check((error.line ?? 1) >= 1 && (error.column ?? 1) >= 1, "lines and columns count from 1: \(error)")
        return
    }
    let length = cut % (text.count + 1)
    do throws(JobFileError) {
        _ = try Submission(text.prefix(length), kind: kind)
    } catch {
        // A line whose end has not come may end in a matrix that is not there yet; a job may be any prefix of bytes.
        check(error.mayStillArrive, "the first \(length) bytes of a job may still arrive: \(error)")
    }
    switch submission {
    case .job(let job):
        _ = PictureReference.all(in: job.object, without: JobFile.optionsKey)
        _ = RequestedRender(job.object, of: .txt2img)
        _ = try? Endpoint(
            named: job.jobOptions.endpoint, method: job.jobOptions.method, bodyKeys: Set(job.object.members.map(\.key)))
    case .batch(let batch):
        check(batch.count > 0, "there is a job in a batch")
        guard batch.count <= 2000 else { return }
        var number = 0
        batch.forEach { part in
            number += 1
            check(part.number == number, "parts are numbered from 1")
            guard let job = try? JobFile(part.text) else { fatalError("part \(number) is a job: \(part.text)") }
            check(job.jobOptions.matrix == nil, "a part has no matrix")
            for choice in part.choices {
                check(job.object.value(of: choice.key) == choice.value, "\(choice.key) is what it is set to")
            }
        }
        check(number == batch.count, "there are as many parts as are told")
    }
}
