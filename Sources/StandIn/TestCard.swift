// The pictures: test cards, as a broadcaster shows them when there is nothing to show, and labelled as such.
//
// A card is a pure function of its prompt, seed, steps and size: the same job gives the same bytes, another seed gives
// another picture.

/// What a card is drawn from.
struct TestCard: Sendable {
    let prompt: String
    let seed: Int
    let steps: Int
    let width: Int
    let height: Int

    func draw() -> Canvas {
        var canvas = Canvas(width: width, height: height)
        drawHatch(on: &canvas)
        drawBorder(on: &canvas)
        drawDisc(on: &canvas)
        drawPlate(on: &canvas)
        return canvas
    }

    private var unit: Int { min(width, height) }
    private var cell: Int { max(8, unit / 14) }
    private var line: Int { max(1, unit / 256) }

    /// FNV-1a over prompt and seed: neighbouring seeds get colours far apart.
    private var hash: UInt64 {
        let bytes = Array(prompt.utf8) + (0..<8).map { UInt8(truncatingIfNeeded: seed >> ($0 * 8)) }
        let hash = bytes.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        return hash ^ (hash >> 29)
    }
    private var hue: Double { Double(hash % 360) }

    private func drawHatch(on canvas: inout Canvas) {
        canvas.paint(x: 0..<width, y: 0..<height, Color(hue: hue, saturation: 0.25, value: 0.42))
        let pale = Color(hue: hue, saturation: 0.08, value: 0.85)
        // From the middle outwards, so that the hatch is symmetrical.
        for x in stride(from: width / 2 % cell, to: width, by: cell) {
            canvas.paint(x: x..<x + line, y: 0..<height, pale)
        }
        for y in stride(from: height / 2 % cell, to: height, by: cell) {
            canvas.paint(x: 0..<width, y: y..<y + line, pale)
        }
    }

    private func drawBorder(on canvas: inout Canvas) {
        let thickness = max(2, cell / 2)
        for (index, x) in stride(from: 0, to: width, by: cell).enumerated() {
            let color = index % 2 == 0 ? Color.white : Color.black
            canvas.paint(x: x..<x + cell, y: 0..<thickness, color)
            canvas.paint(x: x..<x + cell, y: height - thickness..<height, color)
        }
        let side = Color(hue: hue + 180, saturation: 0.8, value: 0.8)
        for (index, y) in stride(from: thickness, to: height - thickness, by: cell).enumerated() {
            let color = index % 2 == 0 ? side : Color.white
            let rows = y..<max(y, min(y + cell, height - thickness))
            canvas.paint(x: 0..<thickness, y: rows, color)
            canvas.paint(x: width - thickness..<width, y: rows, color)
        }
    }

    private func drawDisc(on canvas: inout Canvas) {
        let radius = Double(unit) * 0.46
        let rim = Double(max(1, unit / 128))
        let bars = (0..<8).map { Color(hue: hue + Double($0) * 45, saturation: 0.9, value: 0.9) }
        let blend = (0..<64).map { Color(hue: hue + 120 * Double($0) / 63, saturation: 0.7, value: 0.95) }
        let greys = (0..<6).map { Color(grey: UInt8($0 * 51)) }
        let left = Double(width) / 2 - radius
        for row in 0..<height {
            let fromMiddle = Double(row) + 0.5 - Double(height) / 2
            guard abs(fromMiddle) < radius else { continue }
            let half = (radius * radius - fromMiddle * fromMiddle).squareRoot()
            let inner = max(0, (radius - rim) * (radius - rim) - fromMiddle * fromMiddle).squareRoot()
            canvas.paint(
                row: row, from: Int(Double(width) / 2 - half), to: Int(Double(width) / 2 + half), .white)
            let colors: [Color] =
                switch (fromMiddle + radius) / (2 * radius) {
                case ..<0.14: [Color(hue: hue, saturation: 0.55, value: 1)]
                case ..<0.5: bars
                case ..<0.72: blend
                case ..<0.86: greys
                default: [Color(hue: hue + 120, saturation: 0.7, value: 0.75)]
                }
            let span = 2 * radius / Double(colors.count)
            for (index, color) in colors.enumerated() {
                let from = max(left + Double(index) * span, Double(width) / 2 - inner)
                let to = min(left + Double(index + 1) * span, Double(width) / 2 + inner)
                canvas.paint(row: row, from: Int(from), to: Int(to), color)
            }
        }
    }

    private func drawPlate(on canvas: inout Canvas) {
        let large = max(1, width / 170)
        let small = max(1, large * 2 / 3)
        func lines(_ text: String, _ scale: Int, _ limit: Int) -> [[UInt8]] {
            Lettering.wrap(
                Lettering.fold(text), columns: (width - 4) / (Lettering.advance * scale), limit: limit)
        }
        let title = lines("TEST CARD - NOT DIFFUSION", large, 3)
        // A thumbnail has room for little, and some of the card should be seen.
        let facts = lines(
            "SEED \(seed)" + (unit < 96 ? "" : "  STEPS \(steps)  \(width)x\(height)"), small, 3)
        let room = height * 8 / 10 - Lettering.lineHeight * (large * title.count + small * facts.count)
        let words = lines(prompt, small, max(1, min(3, room / (Lettering.lineHeight * small))))
        let accent = Color(hue: hue + 60, saturation: 0.5, value: 1)
        let all =
            title.map { ($0, large, Color.white) } + words.map { ($0, small, accent) }
            + facts.map { ($0, small, Color(grey: 200)) }
        let total = all.reduce(2 * small) { $0 + Lettering.lineHeight * $1.1 }
        let top = max(0, (height - total) / 2)
        guard !all.isEmpty else { return }
        canvas.paint(x: 0..<width, y: top - line..<top + total + line, .white)
        canvas.paint(x: 0..<width, y: top..<top + total, .black)
        var y = top + 2 * small
        for (text, scale, color) in all {
            let left = (width - (text.count * Lettering.advance - 1) * scale) / 2
            Lettering.write(text, x: left, y: y, scale: scale, color, on: &canvas)
            y += Lettering.lineHeight * scale
        }
    }
}

extension Color {
    static let white = Color(grey: 255)
    static let black = Color(grey: 0)

    init(grey: UInt8) { self.init(red: grey, green: grey, blue: grey) }

    /// The hue in degrees, the others from 0 to 1.
    init(hue: Double, saturation: Double, value: Double) {
        func channel(_ offset: Double) -> UInt8 {
            let sector = (offset + hue / 60).truncatingRemainder(dividingBy: 6)
            return UInt8(255 * value * (1 - saturation * max(0, min(sector, 4 - sector, 1))))
        }
        self.init(red: channel(5), green: channel(3), blue: channel(1))
    }
}
