import Foundation
import Testing

@testable import Sketch

@Test func look() throws {
    for (w, h) in [(512, 512), (64, 64), (768, 512), (8, 8), (128,128),(1024,1024)] {
        let card = TestCard(prompt: "a lighthouse on a cliff at dusk, caf\u{e9}, oil painting, highly detailed, {dramatic|soft} light, 猫", seed: 4200 + w, steps: 20, width: w, height: h)
        let clock = ContinuousClock.now
        let canvas = card.draw()
        let drawn = ContinuousClock.now - clock
        let png = PNG.encode(canvas, text: "a cat")
        print(w, h, drawn, ContinuousClock.now - clock, png.count == PNG.length(width: w, height: h, text: "a cat"))
        try Data(png).write(to: URL(fileURLWithPath: "/tmp/card-\(w).png"))
    }
}
