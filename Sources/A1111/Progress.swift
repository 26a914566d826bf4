// What the server says that it is doing.

import Foundation

/// The answer of `GET /sdapi/v1/progress`. It knows no job: it tells of whatever runs.
public struct Progress: Decodable, Sendable {
    /// 0 to 1.
    public let progress: Double
    /// Seconds, nonsense while a model loads.
    public let eta_relative: Double
    /// Where it is.
    public let state: State

    /// The parts of `state` that a queue can use.
    public struct State: Decodable, Sendable {
        /// Empty while nothing runs.
        public let job: String
        /// Of the picture that is being sampled.
        public let sampling_step: Int
        /// See `sampling_step`.
        public let sampling_steps: Int
        /// Stays true behind an interrupted render until the next one begins.
        public let interrupted: Bool
    }

    /// Nothing runs.
    public var isIdle: Bool { state.job.isEmpty }
}
