// Which picture of a reply is what, and how its file is called.

import Foundation

/// What a picture of a reply is.
package enum PictureKind: String, Sendable {
    /// What was asked for.
    case picture
    /// Several of them side by side.
    case grid
    /// What came along: a mask, a ControlNet map, an extension's text.
    case extra
}

/// What is known of a picture of a reply before its kind is.
struct PictureFacts: Hashable {
    /// False for an extension's text in the place of a picture.
    let isPicture: Bool
    /// The text that rides in it.
    let infotext: String?
    /// What is wrong with it.
    var flaw: PictureFlaw?
}

/// What a picture of a reply was found to be.
struct ClassifiedPictures: Hashable {
    let kind: PictureKind
    /// From 1, among those of its kind.
    let number: Int
    let infotext: String?
    let seed: Int64?
    let subseed: Int64?

    /// One after the other, as they came.
    static func numbered(_ facts: [PictureFacts]) -> [ClassifiedPictures] {
        facts.enumerated().map { index, fact in
            ClassifiedPictures(kind: .picture, number: index + 1, infotext: fact.infotext, seed: nil, subseed: nil)
        }
    }

    /// `cat-1.png`, `cat-grid.png`, `cat-grid-2.png`, `cat-extra-1.png`.
    func fileName(job: String, suffix: String) -> String {
        switch kind {
        case .picture: "\(job)-\(number).\(suffix)"
        case .grid: "\(job)-grid\(number == 1 ? "" : "-\(number)").\(suffix)"
        case .extra: "\(job)-extra-\(number).\(suffix)"
        }
    }
}

/// What the server's `info` says of the pictures; all that it may lack is optional.
struct ReplyInfo: Decodable, Hashable {
    var index_of_first_image: Int?
    var infotexts: [String]?
    var all_seeds: [Int64]?
    var all_subseeds: [Int64]?
    /// When the render began, as ``ServerProgress/State/job_timestamp`` says, too; only A1111 and its forks tell.
    var job_timestamp: String?
}

/// Tells what each picture is. Grids come first, as many as `index_of_first_image` says. Of the others those are
/// extras that carry no text while others do: masks stand between the pictures, ControlNet maps behind them. Where no
/// picture carries a text (a JPEG's is hidden in its EXIF, and a server can be told to write none) the count of
/// infotexts decides.
func arrange(_ facts: [PictureFacts], info: ReplyInfo) -> [ClassifiedPictures] {
    let grids = min(max(info.index_of_first_image ?? 0, 0), facts.count)
    let texts = info.infotexts ?? []
    let someCarryText = facts.contains { $0.infotext != nil }
    // Extras of upscalers and replies of other servers have no infotexts at all: everything is what was asked for.
    let due = texts.isEmpty ? facts.count - grids : max(0, texts.count - grids)
    // So many that should carry a text do not: what is no picture stands in the place of one.
    var missing = texts.isEmpty ? 0 : due - facts.dropFirst(grids).count { $0.infotext != nil }

    var counts: [PictureKind: Int] = [:]
    return facts.enumerated().map { index, fact in
        let kind: PictureKind =
            if index < grids {
                .grid
            } else if someCarryText {
                fact.infotext != nil || (!fact.isPicture && missing > 0) ? .picture : .extra
            } else {
                counts[.picture, default: 0] < due ? .picture : .extra
            }
        counts[kind, default: 0] += 1
        if kind == .picture, fact.infotext == nil { missing -= 1 }
        let number = counts[kind, default: 1]
        func element<T>(_ list: [T]?) -> T? {
            guard kind == .picture, let list, number <= list.count else { return nil }
            return list[number - 1]
        }
        let listed =
            switch kind {
            case .grid: index < texts.count ? texts[index] : nil
            case .picture: grids + number <= texts.count ? texts[grids + number - 1] : nil
            case .extra: nil
            } as String?
        return ClassifiedPictures(
            kind: kind, number: number, infotext: fact.infotext ?? listed,
            seed: element(info.all_seeds), subseed: element(info.all_subseeds))
    }
}
