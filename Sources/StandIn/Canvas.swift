// What is drawn on: pixels, rectangles of one colour, pictures within a picture.

/// Rows of 8-bit RGB, each behind the byte that names its filter (0: none), just as they lie in the file.
struct Canvas: Sendable {
    let width: Int
    let height: Int
    private(set) var rows: [UInt8]
    private var stride: Int { 1 + 3 * width }

    init(width: Int, height: Int) {
        self.width = width
        self.height = height
        rows = [UInt8](repeating: 0, count: (1 + 3 * width) * height)
    }

    /// Paints a piece of a row; what lies outside of the canvas is left out.
    mutating func paint(row: Int, from: Int, to: Int, _ color: Color) {
        guard (0..<height).contains(row), from < to else { return }
        var index = row * stride + 1 + 3 * max(0, from)
        for _ in 0..<max(0, min(to, width) - max(0, from)) {
            rows[index] = color.red
            rows[index + 1] = color.green
            rows[index + 2] = color.blue
            index += 3
        }
    }

    /// Paints a rectangle, its first row pixel by pixel and the others as copies of it.
    mutating func paint(x: Range<Int>, y: Range<Int>, _ color: Color) {
        let x = x.clamped(to: 0..<width)
        let y = y.clamped(to: 0..<height)
        guard let first = y.first, !x.isEmpty else { return }
        paint(row: first, from: x.lowerBound, to: x.upperBound, color)
        let painted = Array(rows[place(x, first)])
        for row in y.dropFirst() { rows.replaceSubrange(place(x, row), with: painted) }
    }

    /// Puts a whole picture at a place where it fits.
    mutating func put(_ other: Canvas, x: Int, y: Int) {
        for row in 0..<other.height {
            let source = other.rows[other.place(0..<other.width, row)]
            rows.replaceSubrange(place(x..<x + other.width, y + row), with: source)
        }
    }

    private func place(_ x: Range<Int>, _ row: Int) -> Range<Int> {
        let start = row * stride + 1
        return start + 3 * x.lowerBound..<start + 3 * x.upperBound
    }
}

/// 8 bits a channel.
struct Color: Equatable, Sendable {
    var red: UInt8
    var green: UInt8
    var blue: UInt8
}
