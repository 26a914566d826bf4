// What the server says that it is doing.

import Foundation

/// The answer of `GET /sdapi/v1/progress`. It knows no job: it tells of whatever runs (see ``RenderIdentity``).
package struct ServerProgress: Decodable, Sendable {
    /// 0 to 1.
    package let progress: Double
    /// Seconds, nonsense while a model loads.
    package let eta_relative: Double
    /// Where it is.
    package let state: State
    /// What there is of the picture, in base64; `nil` also where it was not asked for.
    let current_image: String?

    /// The parts of `state` that a queue can use.
    package struct State: Decodable, Sendable {
        /// Empty while nothing runs.
        package let job: String
        /// Of the picture that is being sampled.
        package let sampling_step: Int
        /// See `sampling_step`.
        package let sampling_steps: Int
        /// Stays true behind an interrupted render until the next one begins.
        package let interrupted: Bool
        /// Like `interrupted`, but the next batch of the same render makes it false, too.
        package let skipped: Bool
        /// The batch that is being made, from 0.
        package let job_no: Int?
        /// The batches of the render; −1 while it is not known.
        package let job_count: Int?
        /// When the render began, to the second, by the server's clock; its answer has it in `info`, too. `nil` at
        /// servers that are not A1111's kin.
        package let job_timestamp: String?

        enum CodingKeys: CodingKey {
            case job, sampling_step, sampling_steps, interrupted, skipped, job_no, job_count, job_timestamp
        }

        /// What not every server tells is `nil` or false where it is missing or odd.
        package init(from decoder: any Decoder) throws {
            let state = try decoder.container(keyedBy: CodingKeys.self)
            job = try state.decode(String.self, forKey: .job)
            sampling_step = try state.decode(Int.self, forKey: .sampling_step)
            sampling_steps = try state.decode(Int.self, forKey: .sampling_steps)
            interrupted = try state.decode(Bool.self, forKey: .interrupted)
            skipped = (try? state.decode(Bool.self, forKey: .skipped)) ?? false
            job_no = try? state.decode(Int.self, forKey: .job_no)
            job_count = try? state.decode(Int.self, forKey: .job_count)
            job_timestamp = try? state.decode(String.self, forKey: .job_timestamp)
        }
    }

    /// Nothing runs.
    package var isIdle: Bool { state.job.isEmpty }

    /// What the render looks like so far, if the server shows it.
    package var preview: Preview? { current_image.flatMap(Preview.init) }
}

/// A picture that is not whole yet.
package struct Preview: Sendable, Equatable {
    /// Told by its first bytes.
    package let format: PictureFormat
    /// The file.
    package let bytes: Data

    /// A progress with a longer one is not read at all.
    static let cap = 8 << 20

    /// Reads base64, perhaps behind the head of a data URL; `nil` where that is no PNG, JPEG or WebP.
    init?(_ text: String) {
        guard text.utf8.count <= Self.cap else { return nil }
        let base64 = text.hasPrefix("data:") ? text.split(separator: ",", maxSplits: 1).last ?? "" : text[...]
        guard let bytes = Data(base64Encoded: String(base64)), let format = PictureFormat(bytes) else { return nil }
        self.format = format
        self.bytes = bytes
    }
}
