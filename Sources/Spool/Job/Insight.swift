// What only those who know the server can read in a job, for those who know the folders.

/// Reads jobs with the server's eyes. Each is asked of jobs that are sound, and answers something for all of them.
package struct Insight: Sendable {
    /// In which lane a job waits.
    let lane: @Sendable (JobFile) -> JobClass
    /// The names of the pictures in assets/ that it needs.
    let assets: @Sendable (JobFile) -> [String]
    /// What it leaves to chance, drawn, by key.
    let draw: @Sendable (JobFile) -> [String: Int64]
    /// Why it is no job for any server.
    let problem: @Sendable (JobFile) -> String?

    /// Where nothing is said a job is a render that needs no pictures and leaves nothing to chance.
    package init(
        lane: @escaping @Sendable (JobFile) -> JobClass = { _ in .renders },
        assets: @escaping @Sendable (JobFile) -> [String] = { _ in [] },
        draw: @escaping @Sendable (JobFile) -> [String: Int64] = { _ in [:] },
        problem: @escaping @Sendable (JobFile) -> String? = { _ in nil }
    ) {
        self.lane = lane
        self.assets = assets
        self.draw = draw
        self.problem = problem
    }
}
